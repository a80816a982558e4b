"""A token for programs, for somebody who signed in by phone: with it they come in to the community,
and share a post of theirs with their care team."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts import audit, request_id
from accounts.models import User
from accounts.sign_in import give_token


@require_POST
def token(request: HttpRequest) -> JsonResponse:
    """Give the token, in JSON: {"token", "expires_at"}. Signing out everywhere ends it."""
    user = request.user
    if not isinstance(user, User):
        return JsonResponse({"detail": "Sign in first."}, status=401)
    with transaction.atomic():
        actor = audit.by(user, request_id.current.get())
        audit.record(actor, "give_token", clinic_id=None, subject_id=user.id)
        given = give_token(user)
    answer = JsonResponse({"token": given.token, "expires_at": given.expires_at.isoformat()})
    answer["Cache-Control"] = "no-store"
    return answer
