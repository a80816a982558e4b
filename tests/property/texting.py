"""Texts, workers, phones and a model of Twilio for Hypothesis to play with, and notes of our own by
which each act is judged. The acts are in test_outbox_machine.py."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from messaging import inbound, outbox, settling
from messaging.gateway import Answer, Fault
from messaging.models import Kind, Lane, Scope, Sms
from messaging.states import NEWS, RANK, State
from messaging.vocabulary import evidence_in
from tests.cast import OTHER_ACCOUNT, make_clinic, make_sender
from tests.property.text_notes import (
    ARROWS,
    BEGAN,
    PEOPLE,
    PHONES,
    QUIET,
    Batch,
    Note,
    Row,
    Settler,
    Wish,
    wishes,
)
from tests.property.twilio_model import Clock, Said, Taken, TwilioModel


class Texting(RuleBasedStateMachine):
    """Two phones, three people, four senders on two accounts; rolled back at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.acts = count(1)
        self.act = self.passed_at = 0
        self.halted = False
        self.clock = Clock(BEGAN, BEGAN)
        self.notes: dict[UUID, Note] = {}
        self.rows: dict[UUID, Row] = {}
        self.words: defaultdict[tuple[str, str], list[tuple[datetime, bool]]] = defaultdict(list)
        self.told_of: set[str] = set()
        self.news: set[tuple[UUID, State]] = set()
        self.kept: set[tuple[UUID, int, str, str]] = set()
        self.batches: list[Batch] = []
        self.settlers: list[Settler] = []
        self.patch = pytest.MonkeyPatch()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def _any(self, *states: State) -> bool:
        return any(row.state in states for row in self.rows.values())

    @initialize(
        rate=st.sampled_from([1000.0, 1000.0, 1.0]),
        skew=st.sampled_from([0, 0, -240, 240]),
        one_by_one=st.sampled_from([20, 0]),
        stands_by=st.booleans(),
        lossy=st.booleans(),
        first=st.lists(wishes, min_size=1, max_size=4),
    )
    def begin(
        self,
        rate: float,
        skew: int,
        one_by_one: int,
        stands_by: bool,
        lossy: bool,
        first: list[Wish],
    ) -> None:
        self.lossy = lossy
        self.twilio = TwilioModel(self.clock, timedelta(seconds=skew), self)
        for module in ("sending", "settling", "reading_back"):
            self.patch.setattr(f"messaging.{module}.GATEWAY", self.twilio)
        for module in ("claim", "sending", "reading_back"):
            self.patch.setattr(f"messaging.{module}.time", self.clock)
        self.patch.setattr(settling, "ONE_BY_ONE", one_by_one)
        self.patch.setattr(settings, "TWILIO_QUIET_SECONDS", QUIET)
        self._own_the_clock()
        self.clinics = [make_clinic("St Example").id, make_clinic("Elsewhere").id, None]
        both = {"inbound_read_at": BEGAN}
        self.senders = [
            make_sender("+15005550001", Lane.ROUTINE, rate, **both),
            make_sender("+15005550002", Lane.URGENT, rate, **both),
            make_sender("+15005550003", Lane.ROUTINE, rate, scope=Scope.COMMUNITY, **both),
            make_sender(
                "+15005550004", Lane.ROUTINE, rate, account=OTHER_ACCOUNT, standby=True,
                inbound_seen_at=BEGAN if stands_by else None, **both,
            ),
        ]  # fmt: skip
        for wish in first:
            self._wish(wish)

    # --- time ------------------------------------------------------------------------------------

    def _own_the_clock(self) -> None:
        """Postgres's clock is the story's until the rollback: a function of ours is found before
        its own. So every verb is called as in production, and none plays an instant."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE SCHEMA story;"
                "CREATE FUNCTION story.statement_timestamp() RETURNS timestamptz STABLE"
                " LANGUAGE sql AS $$ SELECT current_setting('story.at')::timestamptz $$;"
                "SET LOCAL search_path = story, pg_catalog, public"
            )
        self._goes_on(0.001)

    def _goes_on(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('story.at', %s, true)", [self.clock.at.isoformat()])

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """One act, a moment after the one before, and a look at all texts after it."""
        self.halted = True
        self.act = next(self.acts)
        self._goes_on(0.001)
        yield
        self._look()
        self.halted = False

    # --- what is asked after each act ------------------------------------------------------------

    def _look(self) -> None:
        before, self.rows = self.rows, self._read()
        for id_, row in self.rows.items():
            former = before.get(id_, replace(row, state=State.QUEUED, attempt=0))
            self._judge_move(id_, former, row)
        assert set(before) <= set(self.rows), "a text is gone"
        self._had_is_true()

    def _read(self) -> dict[UUID, Row]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, state, attempt, requeued, untaken, state_at, expires_at FROM"
                " messaging_sms"
            )
            return {id_: Row(State(state), *others) for id_, state, *others in cursor.fetchall()}

    def _judge_move(self, id_: UUID, former: Row, row: Row) -> None:
        note, move = self.notes[id_], (former.state, row.state)
        assert former.attempt <= row.attempt, "attempts go back"
        assert row.attempt == len(note.claims), "an attempt nobody made"
        if former.state == row.state:
            return
        if row.state == State.QUEUED:
            note.comes_back()
        assert self._drawn(*move), f"no such arrow: {move}"
        if row.state == State.SUPPRESSED:
            assert self._stopped(note.text.scope, note.text.to), "suppressed, and never said stop"
        if row.state == State.CANCELLED:
            assert note.ended, "nobody cancelled it"
        if row.state == State.QUEUED:
            assert not note.ended, "back in the queue though cancelled"
        if row.state in NEWS:
            assert row.untaken, "nobody will hear of it"

    @staticmethod
    def _drawn(before: State, after: State) -> bool:
        if RANK.get(after, 0) > RANK.get(before, 0):
            return True
        return after in ARROWS.get(before, ())

    def _had_is_true(self) -> None:
        """No more texts of the same words to a phone count as taken than Twilio took."""
        taken = self._tally(m.text.id for m in self.twilio.taken)
        counted = self._tally(
            id_
            for id_, row in self.rows.items()
            if row.state in RANK and id_ not in self.twilio.refused
        )
        for group, many in counted.items():
            assert many <= taken[group], "counts as taken, and never was"

    def _tally(self, ids: Any) -> defaultdict[tuple[str, str], int]:
        found: defaultdict[tuple[str, str], int] = defaultdict(int)
        for id_ in ids:
            text = self.notes[id_].text
            found[text.to, text.body] += 1
        return found

    def claimed(self, claimed: Iterable[Any]) -> None:
        """Each of these may be claimed now."""
        for text in claimed:
            note = self.notes[text.id]
            note.claims[text.attempt] = self.act
            if text.attempt > 1:
                note.comes_back()
            assert note.ended is None, "claimed after it was cancelled"
            assert not self._stopped(note.text.scope, text.to), "claimed after STOP"
            assert note.text.available_at <= self.clock.at < note.text.expires_at
            assert text.to == note.text.to

    def took(self, message: Taken) -> None:
        """Twilio has taken a text: may it have it?"""
        text = message.text
        note = self.notes[text.id]
        claimed_in = note.claims[text.attempt]
        assert self.clock.at < note.text.expires_at, "of no use any more"
        assert note.ended is None or claimed_in <= note.ended, "claimed after it was cancelled"
        assert note.ended is None or note.too_late, "cancelled, and nobody said it was too late"
        if note.text.kind == Kind.ONCE:
            key = note.text.dedup_key
            had = [m for m in self.twilio.taken if self.notes[m.text.id].text.dedup_key == key]
            assert sum(not m.given_up for m in had) == 1, "twice"

    def _former_attempts_moved_nothing(self, batch: Batch) -> None:
        """What a worker knows of an attempt that isn't the last is of no account, unless Twilio
        said that it took it."""
        now = self._read()
        for text in batch.claimed:
            answer = batch.answers.get(text.id)
            if text.attempt < now[text.id].attempt and not (answer and answer.sid):
                assert now[text.id].state == self.rows[text.id].state, "a former attempt decided"

    # --- our own notes ---------------------------------------------------------------------------

    def _wish(self, wish: Wish) -> None:
        with self._acting():
            at = self.clock.at + timedelta(seconds=wish.later)
            about = uuid4()
            if wish.of_the_last and self.notes:
                about = list(self.notes.values())[-1].text.about_id
            text = outbox.Text(
                scope=wish.scope,
                owner_id=PEOPLE[wish.person],
                about_id=about,
                dedup_key=f"dose:{about}:{len(self.notes)}",
                to=PHONES[wish.person // 2],
                # As models.Kind says.
                body=wish.body if wish.kind == Kind.ONCE else f"{wish.body} Again.",
                available_at=at,
                expires_at=at + timedelta(seconds=wish.use),
                clinic_id=self.clinics[wish.person % 3],
                kind=wish.kind,
                lane=wish.lane if wish.scope == Scope.CARE else Lane.ROUTINE,
            )
            texts = [text]
            if wish.twins:
                other = PEOPLE[(wish.person + 1) % 2]
                texts.append(replace(text, owner_id=other, dedup_key=f"{text.dedup_key}:twin"))
            assert len(self._queue(texts)) == len(texts)

    def _queue(self, texts: list[outbox.Text]) -> list[UUID]:
        """Queue texts; the ids of those that are new."""
        outbox.queue(texts, self.clock.at)
        return self._note(texts)

    def _note(self, texts: list[outbox.Text]) -> list[UUID]:
        keys = {text.dedup_key: text for text in texts}
        found = Sms.objects.filter(dedup_key__in=keys).exclude(id__in=self.notes)
        new = dict(found.values_list("id", "dedup_key"))
        for id_, key in new.items():
            self.notes[id_] = Note(keys[key])
        return list(new)

    def _end(self, ids: list[UUID], late: list[Sms]) -> None:
        """These were cancelled; of those we hear that it was too late."""
        for id_ in ids:
            if self.notes[id_].ended is None:
                self.notes[id_].ended = self.act
        for row in late:
            self.notes[row.id].too_late = True

    def told(self, said: Said) -> None:
        """The list shows us what a phone said, if we didn't know: at the time it was said."""
        self._hears(said, said.at)

    def _hears(self, said: Said, at: datetime) -> None:
        if said.sid in self.told_of:
            return
        self.told_of.add(said.sid)
        scope = next(s.scope for s in self.senders if s.number == said.to)
        if said.body in ("STOP", "START"):
            self.words[scope, said.number].append((at, said.body == "STOP"))

    def answered(self, answers: Iterable[tuple[Any, Answer]]) -> None:
        """Twilio's refusal because of a STOP is as good as the word itself."""
        for text, answer in answers:
            if answer.fault == Fault.OPTED_OUT:
                self.words[text.scope, text.to].append((text.claimed_at, True))

    def _stopped(self, scope: str, number: str) -> bool:
        """The last word of a number in a scope, as far as we were told."""
        words = self.words[scope, number]
        return bool(words) and max(words, key=lambda word: word[0])[1]

    def _report(self, which: int, *, again: bool) -> None:
        report = self.twilio.reports[which % len(self.twilio.reports)]
        if not again:
            self.twilio.reports.remove(report)
        inbound.report(report.text_id, report.attempt, report.params)
        code = int(report.params.get("ErrorCode", 0)) or None
        finding = evidence_in(report.params["MessageStatus"], code)
        assert finding
        sid = report.params["MessageSid"]
        self.kept.add((report.text_id, report.attempt, finding.value, sid))

    def _hear_from(self, said: Said) -> None:
        """The webhook of an inbound text arrives."""
        new = inbound.receive(said.params, self.clock.at)
        assert new == (said.sid not in self.told_of), "once for each sid"
        self._hears(said, self.clock.at)

    def _take_news(self) -> None:
        """What the domains do with what waits for them."""
        for scope in (Scope.CARE, Scope.COMMUNITY):
            rows = outbox.news(scope, 100)
            self.news |= {(row.id, State(row.state)) for row in rows}
            outbox.take(rows)
            while self.twilio.said and (said := inbound.untaken(scope, 100)):
                inbound.take_inbound(said, self.clock.at)

    def _waits_for_domains(self) -> bool:
        """Whether there may be anything for the domains to take."""
        return bool(self.twilio.said) or any(row.untaken for row in self.rows.values())
