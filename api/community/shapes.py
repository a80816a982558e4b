"""Shapes that several of the community's doors share."""

from typing import Any

from rest_framework import serializers

from api.fields import LINES, WORDS, OneOf, Strict, Text
from community import tags
from community.members.entering import LANGUAGES as SPOKEN
from community.posts.limits import LONGEST_BODY, LONGEST_TITLE
from community.rules import State

LANGUAGES = [(language, language) for language in SPOKEN]
TAGS = [(tag, tag) for tag in tags.TAGS]
VERDICTS = [(state.value, state.value) for state in State]


class Tags(serializers.ListField):
    """Some of the tags there are, each once."""

    def __init__(self, **more: Any) -> None:
        super().__init__(child=OneOf(TAGS), max_length=tags.MOST, **more)

    def to_internal_value(self, data: Any) -> Any:
        return tuple(dict.fromkeys(super().to_internal_value(data)))


class ReplyWritten(Strict):
    """A reply. body: Markdown, without images. language: your own if you don't say."""

    body = Text(max_length=LONGEST_BODY, kind=WORDS)
    language = OneOf(LANGUAGES, required=False)


class ThreadWritten(ReplyWritten):
    """An opening post."""

    title = Text(max_length=LONGEST_TITLE)
    tags = Tags(required=False)


class PostWritten(ReplyWritten):
    """A new wording. title, tags: of an opening post; a reply has no title."""

    title = Text(max_length=LONGEST_TITLE, required=False)
    tags = Tags(required=False)


class DraftWritten(Strict):
    """What you are writing, as far as you are."""

    title = Text(max_length=LONGEST_TITLE, kind=LINES, required=False)
    body = Text(max_length=LONGEST_BODY, kind=LINES, strip=False)
    tags = Tags(required=False)
    language = OneOf(LANGUAGES, required=False)


class LineShown(serializers.Serializer[Any]):
    """Whom to call."""

    what = serializers.CharField()
    number = serializers.CharField()


class HelpShown(serializers.Serializer[Any]):
    """For somebody who may be in danger: show it before anything else. lines: the first to call
    first; none where we know none of your country."""

    words = serializers.ListField(child=serializers.CharField())
    lines = LineShown(many=True)


class RulesSaid(serializers.Serializer[Any]):
    """What the rules make of a text, for its author. covered: personal data that we took out, and
    what of ("phone"). reasons: why it isn't taken, or waits. advice: others see it with the note
    that nobody's dose is another's. help: null unless there is a sign of danger."""

    covered = serializers.ListField(child=serializers.CharField())
    reasons = serializers.ListField(child=serializers.CharField())
    advice = serializers.BooleanField()
    help = HelpShown(allow_null=True)
