"""Who may enter: every view names one of these, and tests/api/test_entrance.py lists them all.

What a person may do inside, in which clinic, is asked of `accounts.access` by the readings.
"""

import re
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import QueryDict
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.access import works_at_a_clinic
from accounts.models import User
from messaging import twilio

if TYPE_CHECKING:
    # Django REST Framework imports this module while it makes its views.
    from rest_framework.views import APIView

TOKEN = re.compile(rb"[0-9a-f]{64}")


class Nobody(BasePermission):
    """The default: a view that doesn't say who may enter lets nobody in."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class Anybody(BasePermission):
    """Everybody, signed in or not."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return True


class SignedIn(BasePermission):
    """People with a token of their own that is still good."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.user is not None and request.user.is_authenticated


class Staff(BasePermission):
    """People who work at a clinic. Patients and members of the community have tokens as well."""

    message = "This is for the staff of clinics."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and works_at_a_clinic(request.user)


class TwilioOnly(BasePermission):
    """Requests that one of our Twilio accounts has signed, with the token of that account."""

    message = "This request isn't signed by a Twilio account of ours."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        form = request.data
        return isinstance(form, QueryDict) and twilio.signature_ok(
            form.get("AccountSid", ""),
            settings.PUBLIC_URL + request.get_full_path(),
            form,
            request.headers.get("X-Twilio-Signature", ""),
            request.headers.get("X-Twilio-Webhooks-Signature-Settings", ""),
        )


class Token(TokenAuthentication):  # type: ignore[misc]
    """Knox's tokens; what can't be one is refused before the database is asked for it."""

    def authenticate_credentials(self, token: bytes) -> tuple[object, object]:
        if not TOKEN.fullmatch(token):
            raise AuthenticationFailed("This token isn't good. Sign in again.")
        found: tuple[object, object] = super().authenticate_credentials(token)
        return found
