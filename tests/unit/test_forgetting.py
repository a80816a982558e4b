"""What is over is forgotten by the hour: tokens, sessions, and whose persona somebody was."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from knox.models import AuthToken

from accounts.sign_in import give_token
from community.members import entering
from community.members.leaving import leave
from community.models import PersonaLink, PersonaSession
from messaging.clock import read_clock
from tests.cast import Cast
from tests.community import as_actor, make_circle, silence
from workers.tasks import forget

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_tokens_and_sessions_that_ran_out(cast: Cast):
    now, circle = read_clock(), make_circle()
    for ends in (now - SECOND, now + DAY):
        give_token(cast.clinician)
        newest = AuthToken.objects.latest("created")
        AuthToken.objects.filter(digest=newest.digest).update(expiry=ends)
        session = SessionStore()
        session["code"] = "123456"
        session.create()
        Session.objects.filter(session_key=session.session_key).update(expire_date=ends)
        entering._session(circle.heron, ends - entering.SESSION)
    forget.run()
    left = (AuthToken.objects.get().expiry, Session.objects.get().expire_date,
            PersonaSession.objects.get().expires_at)  # fmt: skip
    assert left == (now + DAY,) * 3


def test_whose_persona_it_was_is_forgotten_with_the_sanction(cast: Cast):
    now, circle = read_clock(), make_circle()
    users = (cast.clinician, cast.coordinator, cast.admin)
    for user, persona in zip(users, (circle.heron, circle.wren, circle.novice), strict=True):
        PersonaLink.objects.create(user=user, persona=persona)
    sanction = silence(circle, now + DAY, now - DAY)
    for persona in (circle.heron, circle.wren):
        leave(persona.id, erase=True, actor=as_actor(persona), now=now)
    forget.run()
    # Heron's holds, and Novice has not left.
    assert {link.persona for link in PersonaLink.objects.all()} == {circle.heron, circle.novice}
    sanction.ends_at = now - SECOND
    sanction.save()
    forget.run()
    assert {link.persona for link in PersonaLink.objects.all()} == {circle.novice}
