"""Signing in and out with e-mail and password, for a token or a session; and counting attempts."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, transaction
from knox.models import AuthToken

from accounts import audit
from accounts.models import User
from accounts.refusals import Refusal

WITHIN = timedelta(minutes=10)
MOST_OF_EMAIL = 10
MOST_OF_ADDRESS = 60


class NotSignedIn(Refusal):
    """The e-mail and the password don't belong together; which of them is wrong isn't told."""


class TooMany(Refusal):
    """Tried too often. wait: when it may be tried again."""

    def __init__(self, wait: timedelta) -> None:
        minutes = max(1, round(wait / timedelta(minutes=1)))
        super().__init__(
            "too_many_attempts",
            f"There were too many attempts to sign in. Wait {minutes} min and try again.",
        )
        self.wait = wait


@dataclass(frozen=True)
class SignedIn:
    """token: shown this once; we keep a digest of it."""

    user: User
    token: str
    expires_at: datetime


def sign_in(email: str, password: str, address: str, request_id: str, now: datetime) -> SignedIn:
    """Give a person a token. address: where they come from, as far as attempts are counted.

    Raises NotSignedIn and TooMany.
    """
    user = _prove(email, password, address, request_id, now)
    with transaction.atomic():
        audit.record(audit.by(user, request_id), "sign_in", clinic_id=None, subject_id=user.id)
        return give_token(user)


def sign_in_to_pages(
    email: str, password: str, address: str, request_id: str, now: datetime
) -> User:
    """The same for pages, which keep a session instead: it is the door's to begin it."""
    user = _prove(email, password, address, request_id, now)
    audit.record(audit.by(user, request_id), "sign_in", clinic_id=None, subject_id=user.id)
    return user


def _prove(email: str, password: str, address: str, request_id: str, now: datetime) -> User:
    """Whose e-mail and password these are.

    An unknown e-mail, a wrong password and a person who has left get the same answer after the
    same work, so that nobody can find out who is here.
    """
    email = email.lower()
    _count(f"address {address}", MOST_OF_ADDRESS, now)
    _count(f"email {email}", MOST_OF_EMAIL, now)
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)
    if user is None or not user.check_password(password) or not user.is_active:
        audit.record(
            audit.Actor("anonymous", request_id=request_id),
            "refuse_sign_in",
            clinic_id=None,
            subject_id=user.id if user else None,
        )
        raise NotSignedIn("not_signed_in", "This e-mail and this password don't belong together.")
    cache.delete(_key(f"email {email}"))
    return user


def give_token(user: User) -> SignedIn:
    """A new token for somebody who has shown who they are."""
    stored, token = AuthToken.objects.create(user)
    return SignedIn(user, token, stored.expiry)


def sign_out(token: AuthToken, actor: audit.Actor) -> None:
    """End one token; the same person's others stay."""
    with transaction.atomic():
        token.delete()
        audit.record(actor, "sign_out", clinic_id=None, subject_id=token.user_id)


def note_sign_out(actor: audit.Actor) -> None:
    """Write down that somebody ended their session: it is the door's to end it."""
    subject_id = actor.user.id if actor.user else None
    audit.record(actor, "sign_out", clinic_id=None, subject_id=subject_id)


def forget_sign_ins(now: datetime) -> None:
    """Forget tokens and sessions that ran out: what was only of use in them, as a code, too."""
    AuthToken.objects.filter(expiry__lte=now).delete()
    Session.objects.filter(expire_date__lte=now).delete()


def _count(what: str, most: int, now: datetime) -> None:
    """Count one attempt; raises TooMany past `most` within WITHIN.

    Under a lock, for the cache reads and writes in two steps: many at once would count as one.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [_key(what)])
        recent = [at for at in cache.get(_key(what), []) if now - at < WITHIN]
        if len(recent) >= most:
            raise TooMany(recent[0] + WITHIN - now)
        cache.set(_key(what), [*recent, now], WITHIN.total_seconds())


def _key(what: str) -> str:
    """A digest: the table of attempts holds no e-mail and no address."""
    return "sign-in:" + hashlib.sha256(what.encode()).hexdigest()
