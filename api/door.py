"""What every view of this door is made of: reading what was sent, and answering it."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import APIException, NotAuthenticated, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, replies, request_id
from accounts.models import User
from accounts.refusals import Invalid
from api.fields import Strict
from api.schema import IF_MATCH, REPEAT_KEY

ETAG = re.compile(r'"([\x21\x23-\x7e]{1,100})"')


class Unconditional(APIException):
    """A decision on a state that the caller doesn't name."""

    status_code = 428
    default_code = "if_match_missing"
    default_detail = (
        "Look at it as it is now, and send its ETag as If-Match, so that you decide on what you "
        "saw."
    )


class Door(APIView):
    """A view. Parses, fetches with permission through `reminders.reading`, calls one verb."""

    http_method_names = ["get", "head", "post", "put", "patch"]

    @property
    def who(self) -> User:
        """Who is signed in."""
        user = self.request.user
        if not isinstance(user, User):
            raise NotAuthenticated
        return user

    @property
    def actor(self) -> audit.Actor:
        """Who acts: the signed-in user, in this request."""
        return audit.by(self.who, request_id.current.get())

    @property
    def now(self) -> datetime:
        return timezone.now()

    def body(self, shape: type[Strict], *, partial: bool = False) -> dict[str, Any]:
        """What was sent, if it has this shape; ValidationError else."""
        return _read(shape(data=self.request.data, partial=partial))

    def query(self, shape: type[Strict]) -> dict[str, Any]:
        """What the address asks for; a name given twice can't be meant."""
        params = self.request.query_params
        for name, values in params.lists():
            if len(values) > 1:
                raise ValidationError({name: ValidationError("Give it once.", "repeated").detail})
        return _read(shape(data=params.dict()))

    def once(self, act: Callable[[], replies.Reply]) -> Response:
        """Act, and answer; or, for an Idempotency-Key that was used, answer as then.

        Permission and the shape of the request must have been checked.
        """
        key = self.request.headers.get(REPEAT_KEY)
        if key is None:
            reply = act()
        else:
            path, sent = self.request.path, self.request.data
            reply = replies.once(self.who.id, path, key, sent, act)
        return Response(reply.body, reply.status)

    def seen(self) -> str:
        """The state that the caller has seen, as their If-Match says."""
        given = self.request.headers.get(IF_MATCH)
        if given is None:
            raise Unconditional
        found = ETAG.fullmatch(given.strip())
        if found is None:
            raise Invalid("if_match", 'Send one ETag as you got it, like "3f1c…".', IF_MATCH)
        return found[1]

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        # About patients: nobody on the way, and no browser, keeps it.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def etag(token: str) -> str:
    """A state's token as the header has it."""
    return f'"{token}"'


def _read(form: Strict) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    read: dict[str, Any] = form.validated_data
    return read
