"""A clinic's own texts, in place of the built-in ones and beside them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import May, clinic_for
from accounts.replies import Reply
from api.door import Door
from api.entrance import Staff
from api.fields import OneOf, Strict, Text
from api.pages import Paged, page
from api.schema import operation
from reminders.models import Language, Template, Wording
from reminders.reading import clinics
from reminders.texts import templates

KIND = "A built-in text (day, next, overdue, ...), or message: and a name, like message:closed."
WHICH = {"language": "en", "wording": "discreet", "kind": "message:closed"}
DRAFT = {**WHICH, "body": "{clinic}: we are closed on Friday. Call {phone}."}
SHOWN: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000e137",
    **DRAFT,
    "version": 1,
    "made_by": "Grace Example",
    "made_at": "2027-01-04T09:00:00Z",
}
CHECKED: dict[str, Any] = {
    "problems": [],
    "warnings": [{"code": "segments", "message": "At its longest it is sent as 2 texts."}],
    "shown": "St Example: we are closed on Friday. Call +44 20 7946 0000.",
    "characters": 59,
    "segments": 1,
    "price": "0.0400",
    "currency": "GBP",
}


class TemplatesWanted(Paged):
    """Which of the clinic's texts."""

    versions = OneOf(
        [("holding", "holding"), ("all", "all")],
        required=False,
        help_text="holding (if you don't say): those that hold now. all: the former ones, too.",
    )


class Which(Strict):
    """One text of the clinic's."""

    language = OneOf(Language.choices)
    wording = OneOf(Wording.choices)
    kind = Text(max_length=48, help_text=KIND)


class DraftSent(Which):
    """A text to be."""

    body = Text(
        max_length=480,
        help_text="With {clinic} and {phone}, and {date} and {every} where the built-in text has "
        "them.",
    )


class TemplateShown(serializers.Serializer[Any]):
    """One version of a clinic's own text. body: blank if this version retired it."""

    id = serializers.UUIDField()
    language = serializers.ChoiceField(Language.choices)
    wording = serializers.ChoiceField(Wording.choices)
    kind = serializers.CharField()
    body = serializers.CharField()
    version = serializers.IntegerField()
    made_by = serializers.CharField(source="made_by.name")
    made_at = serializers.DateTimeField()


class TemplatesPage(serializers.Serializer[Any]):
    """Texts, newest first."""

    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")
    results = TemplateShown(many=True)


class RemarkShown(serializers.Serializer[Any]):
    """Something to mend, or to think about."""

    code = serializers.CharField()
    message = serializers.CharField()


class CheckedShown(serializers.Serializer[Any]):
    """What is wrong with a text (problems keep it from being saved), and what it costs. shown: as
    long as it can become; price: of all its segments, null where none is set."""

    problems = RemarkShown(many=True)
    warnings = RemarkShown(many=True)
    shown = serializers.CharField()
    characters = serializers.IntegerField()
    segments = serializers.IntegerField()
    price = serializers.DecimalField(max_digits=10, decimal_places=4, allow_null=True)
    currency = serializers.CharField()


class Templates(Door):
    """/clinics/{clinic_id}/templates"""

    permission_classes = [Staff]

    @operation(
        "list_templates",
        "templates",
        query=TemplatesWanted,
        answer=TemplatesPage,
        shows={"next": None, "results": [SHOWN]},
        problems=[403, 404],
    )
    def get(self, request: Request, clinic_id: UUID) -> Response:
        """The clinic's own texts, newest first."""
        query = self.query(TemplatesWanted)
        former = query.get("versions") == "all"
        own = clinics.templates_for(self.who, clinic_id, former=former)
        found, following = page(own, query, request)
        return Response(TemplatesPage({"next": following, "results": found}).data)

    @operation(
        "save_template",
        "templates",
        body=DraftSent,
        sends=DRAFT,
        answer=TemplateShown,
        shows=SHOWN,
        status=201,
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, clinic_id: UUID) -> Response:
        """Let a text hold from now on, if nothing is wrong with it."""
        draft = _draft(self.body(DraftSent))
        clinic = clinic_for(self.who, clinic_id, May.WRITE_TEXTS)

        def act() -> Reply:
            return _made(templates.save(clinic, draft, self.actor, self.now))

        return self.once(act)


class PreviewTemplate(Door):
    """/clinics/{clinic_id}/templates/preview"""

    permission_classes = [Staff]

    @operation(
        "preview_template",
        "templates",
        body=DraftSent,
        sends=DRAFT,
        answer=CheckedShown,
        shows=CHECKED,
        problems=[403, 404],
    )
    def post(self, request: Request, clinic_id: UUID) -> Response:
        """What is wrong with a text, what it looks like at its longest, and what it costs.

        Stores nothing.
        """
        draft = _draft(self.body(DraftSent))
        clinic = clinic_for(self.who, clinic_id, May.WRITE_TEXTS)
        return Response(CheckedShown(templates.preview(clinic, draft)).data)


class RetireTemplate(Door):
    """/clinics/{clinic_id}/templates/retire"""

    permission_classes = [Staff]

    @operation(
        "retire_template",
        "templates",
        body=Which,
        sends=WHICH,
        answer=TemplateShown,
        shows={**SHOWN, "version": 2, "body": ""},
        status=201,
        problems=[403, 404],
        repeatable=True,
    )
    def post(self, request: Request, clinic_id: UUID) -> Response:
        """Take a text back: the built-in one holds again, or the message is gone."""
        sent = self.body(Which)
        clinic = clinic_for(self.who, clinic_id, May.WRITE_TEXTS)
        which = (Language(sent["language"]), Wording(sent["wording"]), sent["kind"])

        def act() -> Reply:
            return _made(templates.retire(clinic, *which, self.actor, self.now))

        return self.once(act)


def _draft(sent: dict[str, Any]) -> templates.Draft:
    return templates.Draft(
        Language(sent["language"]), Wording(sent["wording"]), sent["kind"], sent["body"]
    )


def _made(template: Template) -> Reply:
    return Reply(201, TemplateShown(template).data)
