"""The moderators' own rules: written, tried, switched on and off."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.community import rules_examples as examples
from api.community.door import CommunityDoor, Lead, Moderator
from api.community.rota import ModeratorNamed
from api.fields import Nothing, OneOf, Strict, Text
from api.pages import Paged, page
from api.schema import operation
from community.members.entering import LANGUAGES
from community.models import RuleState
from community.moderation import rule_trial, rule_writing
from community.rules import Action, State

ACTIONS = [(action.value, action.value) for action in Action]
MOST = rule_writing.MOST_PHRASES
KEY = (rule_writing.KEY.pattern, "Name it in small letters, figures and hyphens.")


class Phrases(serializers.ListField):
    """Phrases as rules have them: words, "stem*", "a/b", "x?", "#" for a number, "~" for up to
    three words that don't matter."""

    child = Text(max_length=rule_writing.LONGEST_PHRASE)


class RuleWritten(Strict):
    """A version of a rule. unless: phrases that make a hit which shares words with them none.
    languages: none for all; a sign of crisis is looked for in all."""

    key = Text(
        max_length=rule_writing.LONGEST_KEY, kind=KEY, help_text="Names it through its versions."
    )
    action = OneOf(ACTIONS)
    phrases = Phrases(min_length=1, max_length=MOST)
    unless = Phrases(required=False, max_length=MOST)
    languages = serializers.ListField(
        child=OneOf([(language, language) for language in LANGUAGES]), required=False, max_length=6
    )
    description = Text(max_length=300, help_text="What it is about; authors read it too.")


class RulesOfModerators(Paged):
    """Which versions."""

    key = Text(max_length=rule_writing.LONGEST_KEY, required=False, help_text="Of one rule.")
    state = OneOf(RuleState.choices, required=False)


class HouseRuleShown(serializers.Serializer[Any]):
    """A version of a rule. switched_at: when it was last switched on or off by itself."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    version = serializers.IntegerField()
    action = serializers.ChoiceField(ACTIONS)
    phrases = serializers.ListField(child=serializers.CharField())
    unless = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    state = serializers.ChoiceField(RuleState.choices)
    state_in_words = serializers.CharField(source="get_state_display")
    written_by = ModeratorNamed()
    written_at = serializers.DateTimeField()
    switched_at = serializers.DateTimeField(allow_null=True)


class HouseRulesPage(serializers.Serializer[Any]):
    """Versions of rules, the newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = HouseRuleShown(many=True)


class CaughtShown(serializers.Serializer[Any]):
    """A post that it would have caught. verdict: how it was judged then; decided: "wrongly" where a
    moderator found it in order, "rightly" where one decided against it, "" where nobody did."""

    post = serializers.UUIDField(source="post_id")
    revision = serializers.UUIDField(source="revision_id")
    verdict = serializers.ChoiceField([(state.value, state.value) for state in State])
    decided = serializers.ChoiceField([("", ""), ("wrongly", "wrongly"), ("rightly", "rightly")])


class TrialShown(serializers.Serializer[Any]):
    """What a version would have caught. looked_at: wordings, from `since` on. caught: posts, each
    counted once; were: how many of them were judged how; examples: the newest."""

    looked_at = serializers.IntegerField()
    since = serializers.DateTimeField()
    caught = serializers.IntegerField()
    wrongly = serializers.IntegerField()
    rightly = serializers.IntegerField()
    were = serializers.DictField(child=serializers.IntegerField())
    examples = CaughtShown(many=True)


class HouseRules(CommunityDoor):
    """/community/moderation/rules"""

    permission_classes = [Moderator]

    @operation(
        "list_house_rule_versions",
        "moderation",
        query=RulesOfModerators,
        answer=HouseRulesPage,
        shows={"next": None, "results": [examples.RULE]},
        problems=[403],
    )
    def get(self, request: Request) -> Response:
        """The moderators' rules, each version of them, the newest first; with `key` a rule's
        history."""
        query = self.query(RulesOfModerators)
        rows = rule_writing.versions(query.get("key", ""), query.get("state", ""))
        results, after = page(rows, query, request)
        return Response(HouseRulesPage({"next": after, "results": results}).data)

    @operation(
        "write_rule",
        "moderation",
        body=RuleWritten,
        sends=examples.WRITTEN,
        answer=HouseRuleShown,
        shows=examples.RULE,
        status=201,
        problems=[403, 409],
    )
    def post(self, request: Request) -> Response:
        """Write a version of a rule. It isn't on yet: try it first.

        A phrase that can't be read is refused by its number.
        """
        sent = self.body(RuleWritten)
        wording = rule_writing.Wording(**{**sent, "action": Action(sent["action"])})
        rule = rule_writing.write(self.me, wording, self.actor, self.now)
        return Response(HouseRuleShown(rule).data, 201)


class TryRule(CommunityDoor):
    """/community/moderation/rules/{rule_id}/try"""

    permission_classes = [Moderator]

    @operation(
        "try_rule",
        "moderation",
        path={"rule": examples.RULE["id"]},
        body=Nothing,
        sends={},
        answer=TrialShown,
        shows=examples.TRIAL,
        problems=[403],
    )
    def post(self, request: Request, rule_id: UUID) -> Response:
        """What a version would have caught of the last 30 days' posts, by itself; and of these, how
        many a moderator found in order. Nothing is changed by it."""
        self.body(Nothing)
        trial = rule_trial.try_out(rule_writing.version_of(rule_id), self.now)
        return Response(TrialShown(trial).data)


class SwitchOn(CommunityDoor):
    """/community/moderation/rules/{rule_id}/switch-on"""

    permission_classes = [Lead]

    @operation(
        "switch_rule_on",
        "moderation",
        path={"rule": examples.RULE["id"]},
        body=Nothing,
        sends={},
        answer=HouseRuleShown,
        shows=examples.RULE_ON,
        problems=[403, 409],
    )
    def post(self, request: Request, rule_id: UUID) -> Response:
        """Let a version hold from the next post on, in place of the one of its rule that does."""
        self.body(Nothing)
        return Response(HouseRuleShown(rule_writing.switch_on(rule_id, self.actor, self.now)).data)


class SwitchOff(CommunityDoor):
    """/community/moderation/rules/{rule_id}/switch-off"""

    permission_classes = [Lead]

    @operation(
        "switch_rule_off",
        "moderation",
        path={"rule": examples.RULE["id"]},
        body=Nothing,
        sends={},
        answer=HouseRuleShown,
        shows={**examples.RULE_ON, "state": "off", "state_in_words": "Was on"},
        problems=[403, 409],
    )
    def post(self, request: Request, rule_id: UUID) -> Response:
        """Let a version hold no more, from the next post on."""
        self.body(Nothing)
        return Response(HouseRuleShown(rule_writing.switch_off(rule_id, self.actor, self.now)).data)
