"""Signing in by phone: django-allauth's codes, with our texts, and a second proof on new devices.

allauth makes the codes, keeps them in the session, counts wrong ones and too many wishes for one;
each stage of its login runs in turn. Ours is the last: `SecondProof`.
"""

from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.stages import LoginStage
from allauth.account.views import ConfirmLoginCodeView, LogoutView, RequestLoginCodeView
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods

from accounts import audit, request_id
from accounts.addresses import address
from accounts.models import User
from accounts.people import user_of_phone
from accounts.refusals import Conflict, Invalid
from reminders.patients import signing_in
from web.community.door import forget_token
from web.words import preferred, show, words

DEVICE = "device"
DEVICE_KNOWN_FOR = timedelta(days=365)


class PhoneField(forms.CharField):
    """A number as people write it, with or without its country; the one that is somebody's, if
    there are several. What can't be a number is nobody's, and gets the same answer."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=40, **more)

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        numbers = sorted(signing_in.numbers_of(typed))
        known = [number for number in numbers if user_of_phone(number) is not None]
        return next(iter(known or numbers), typed)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth has to ask us."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # Keys of our words, told apart in the templates.
        "incorrect_code": "code_wrong",
        "too_many_login_attempts": "too_many",
        "rate_limited": "too_many",
    }

    def phone_form_field(self, **more: Any) -> forms.Field:
        return PhoneField(**more)

    def get_user_by_phone(self, phone: str) -> User | None:
        return user_of_phone(phone)

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return (user.phone, True) if user.phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:  # noqa: FBT001 - allauth's
        """Nobody's number is set by signing in."""

    def set_phone_verified(self, user: User, phone: str) -> None:
        """A number is only ever that of somebody who was invited with it."""

    def send_verification_code_sms(self, user: User, phone: str, code: str, **more: Any) -> None:
        signing_in.text_code(user, code, timezone.now())

    def get_client_ip(self, request: HttpRequest) -> str:
        return address(request.META)

    def add_message(self, *args: Any, **more: Any) -> None:
        """allauth's own notices are in its words; ours are on the pages."""

    def get_login_stages(self) -> list[str]:
        return ["allauth.account.stages.LoginByCodeStage", "web.phone_sign_in.SecondProof"]

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        signing_in.note_sign_in(user, audit.Actor("patient", user, request_id.current.get()))
        response.set_signed_cookie(
            DEVICE,
            user.get_session_auth_hash(),
            salt=str(user.id),
            max_age=DEVICE_KNOWN_FOR,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response


class SecondProof(LoginStage):  # type: ignore[misc]
    """After the code: on a device that we don't know, the welcome code, too."""

    key = "second_proof"
    urlname = "second_proof"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        known = _is_known_device(self.request, user)
        if signing_in.second_proof_needed(user, known_device=known):
            return redirect(self.urlname), True
        return None, True


def _is_known_device(request: HttpRequest, user: User) -> bool:
    """By the cookie of an earlier sign-in, which ends when the person is signed out everywhere."""
    kept = request.get_signed_cookie(DEVICE, "", salt=str(user.id), max_age=DEVICE_KNOWN_FOR)
    return constant_time_compare(kept or "", user.get_session_auth_hash())


class _InWords:
    """One of allauth's pages, by our template, in the browser's language."""

    request: HttpRequest
    template_name: str

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        form = context["form"]
        error = next((key for keys in form.errors.values() for key in keys), "")
        language = preferred(self.request)
        if error and error not in words(language)["entrance"]:
            error = "number_missing" if "phone" in form.fields else "code_wrong"
        status = 422 if error else 200
        return show(self.request, self.template_name, language, status, error=error, form=form)


class AskForCode(_InWords, RequestLoginCodeView):  # type: ignore[misc]
    """/sign-in: the number. Known and unknown ones get the same answer."""

    template_name = "web/sign_in.html"


class GiveCode(_InWords, ConfirmLoginCodeView):  # type: ignore[misc]
    """/sign-in/code: the code that we texted."""

    template_name = "web/sign_in_code.html"


class SignOut(LogoutView):  # type: ignore[misc]
    """/sign-out, also out of a sign-in that isn't finished."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Also out of the community, as far as this browser knows of it: its cookie isn't sent
        here, so which token it holds stays unknown."""
        return forget_token(super().post(*args, **kwargs))


@login_stage_required(  # type: ignore[untyped-decorator]
    stage=SecondProof.key, redirect_urlname="account_login"
)
@require_http_methods(["GET", "POST"])
def second_proof(request: HttpRequest) -> HttpResponse:
    """/sign-in/welcome: the code that the clinic gave."""
    stage: SecondProof = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 - allauth's
    error = ""
    if request.method == "POST":
        code = request.POST.get("code", "")[:40]
        try:
            signing_in.take_welcome_code(stage.login.user, code, timezone.now())
        except (Conflict, Invalid) as refusal:
            error = refusal.code
        else:
            response: HttpResponse = stage.exit()
            return response
    status = 422 if error else 200
    return show(request, "web/sign_in_welcome.html", preferred(request), status, error=error)
