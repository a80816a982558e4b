"""Any interleaving of queuing, cancelling, workers, settlers, ticks, callbacks and phones, over
real Postgres and the real messaging code, with a model of Twilio: no text twice, none lost.

An act is one transaction of one of many workers, so that the acts of a story are interleaved as
those of processes are. What is judged after each, and at the end, is in texting.py and
texts_at_rest.py.

Broken by hand to see that it fails, each within one run: what is unknown goes again at once;
opt-outs not looked at. It has found that what Twilio gave up went again though its
plan had ended. It can't show what needs two connections at once: locks, and claims that race
(tests/faults).
"""

import logging
import math
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from messaging import outbox
from messaging.claim import LEASE, claim, close_useless
from messaging.gateway import Answer
from messaging.models import Lane
from messaging.reading_back import read_back
from messaging.sending import _Batch, _record, send_due
from messaging.settling import _settle_account, _take_doubts, go_again, settle
from messaging.states import Finding, State
from tests.property.text_notes import (
    OPEN,
    PEOPLE,
    PHONES,
    QUIET,
    UNDER_WAY,
    Batch,
    Settler,
    Wish,
    lanes,
    uses,
    wishes,
)
from tests.property.texts_at_rest import Resting
from tests.property.twilio_model import DROPPED, OUTCOMES, TAKEN, Said, answered

which = st.integers(0, 5)
outcomes = st.sampled_from([TAKEN] * 3 + list(OUTCOMES))
LOST = ["taken, and no answer", "taken, and a 500", "not taken, and no answer"]
FATES = {
    "queued": [("sent", None), ("sent", None), ("failed", DROPPED), ("failed", 30007)],
    "sent": [("delivered", None), ("delivered", None), ("undelivered", 30003)],
}


class Outbox(Resting):
    """The acts."""

    # --- who wants texts -------------------------------------------------------------------------

    @rule(wish=wishes)
    def somebody_queues(self, wish: Wish) -> None:
        self._wish(wish)

    @precondition(lambda self: self.notes)
    @rule(which=which)
    def somebody_queues_the_same_again(self, which: int) -> None:
        with self._acting():
            text = list(self.notes.values())[-1 - which % len(self.notes)].text
            held = {
                self.notes[id_].text.dedup_key
                for id_, row in self.rows.items()
                if row.state != State.CANCELLED
            }
            if text.expires_at > self.clock.at:
                assert len(self._queue([text])) == (text.dedup_key not in held)

    @precondition(lambda self: self.notes)
    @rule(which=which)
    def a_plan_ends(self, which: int) -> None:
        with self._acting():
            about = list(self.notes.values())[-1 - which % len(self.notes)].text.about_id
            ids = [id_ for id_, note in self.notes.items() if note.text.about_id == about]
            self._end(ids, outbox.cancel([about]))

    @precondition(lambda self: self.notes)
    @rule(person=st.integers(0, 2), phone=st.integers(0, 1))
    def a_person_has_another_number(self, person: int, phone: int) -> None:
        with self._acting():
            waiting = {
                id_: note.text
                for id_, note in self.notes.items()
                if note.text.owner_id == PEOPLE[person]
                and note.text.to != PHONES[phone]
                and self.rows[id_].state == State.QUEUED
            }
            for id_, note in self.notes.items():
                if note.text.owner_id == PEOPLE[person] and self.rows[id_].state in UNDER_WAY:
                    note.next_to = PHONES[phone]
            late = outbox.readdress(PEOPLE[person], PHONES[phone], self.clock.at)
            assert not {row.id for row in late} & set(waiting)
            self._end(list(waiting), [])
            again = [replace(text, to=PHONES[phone]) for text in waiting.values()]
            assert len(self._note(again)) == len(waiting)

    @precondition(lambda self: self.notes)
    @rule(which=which, later=st.sampled_from([0, 60]), use=uses)
    def a_text_is_moved(self, which: int, later: int, use: int) -> None:
        with self._acting():
            about = list(self.notes.values())[-1 - which % len(self.notes)].text.about_id
            at = self.clock.at + timedelta(seconds=later)
            instants = {"available_at": at, "expires_at": at + timedelta(seconds=use)}
            outbox.move(about, **instants)
            for id_, note in self.notes.items():
                if note.text.about_id == about and self.rows[id_].state == State.QUEUED:
                    note.text = replace(note.text, **instants)

    @precondition(lambda self: self._waits_for_domains())
    @rule()
    def the_domains_take_what_waits(self) -> None:
        with self._acting():
            self._take_news()

    # --- workers that send -----------------------------------------------------------------------

    @precondition(lambda self: self._any(State.QUEUED))
    @rule(lane=lanes)
    def a_worker_claims(self, lane: Lane) -> None:
        with self._acting():
            self._claim(lane)

    @precondition(lambda self: self._any(State.QUEUED))
    @rule(lane=lanes, outcome=outcomes)
    def a_worker_claims_and_posts(self, lane: Lane, outcome: str) -> None:
        with self._acting():
            batch = self._claim(lane)
            for text in batch.unposted:
                batch.answers[text.id] = self.twilio.post(text, outcome)

    def _claim(self, lane: Lane) -> Batch:
        close_useless()
        batch = Batch(claim(lane))
        self.claimed(batch.claimed)
        if batch.claimed:
            self.batches.append(batch)
        return batch

    @precondition(lambda self: self._any(State.QUEUED))
    @rule(lane=lanes)
    def a_worker_dies_before_its_claim_is_committed(self, lane: Lane) -> None:
        with self._acting(), transaction.atomic():
            claim(lane)
            transaction.set_rollback(True)

    @precondition(lambda self: any(batch.unposted for batch in self.batches))
    @rule(which=which, other=which, outcome=outcomes, all_of_them=st.booleans())
    def a_worker_posts(self, which: int, other: int, outcome: str, all_of_them: bool) -> None:
        with self._acting():
            open_ = [batch for batch in self.batches if batch.unposted]
            batch = open_[which % len(open_)]
            texts = batch.unposted
            for text in texts if all_of_them else [texts[other % len(texts)]]:
                batch.answers[text.id] = self.twilio.post(text, outcome)

    @precondition(lambda self: self.batches)
    @rule(which=which)
    def a_worker_records(self, which: int) -> None:
        with self._acting():
            self._records(self.batches.pop(which % len(self.batches)))

    def _records(self, batch: Batch) -> None:
        answers = [
            batch.answers.get(text.id, Answer(Finding.NOT_TAKEN, wait=0)) for text in batch.claimed
        ]
        came = [answered(answer) for answer in answers]
        left = list(range(len(came)))
        _record([_Batch(batch.claimed, came, left, posted_at=0)], None)
        self.answered(zip(batch.claimed, answers, strict=True))
        self._former_attempts_moved_nothing(batch)

    @precondition(lambda self: self.batches)
    @rule(which=which)
    def a_worker_dies(self, which: int) -> None:
        with self._acting():
            self.batches.pop(which % len(self.batches))

    @precondition(lambda self: self._any(State.QUEUED))
    @rule(lane=lanes)
    def a_worker_sends_undisturbed(self, lane: Lane) -> None:
        with self._acting():
            send_due(lane)

    # --- workers that settle ---------------------------------------------------------------------

    @precondition(lambda self: self._any(State.SENDING, State.UNKNOWN))
    @rule()
    def a_tick_lets_urgent_texts_go_again(self) -> None:
        with self._acting():
            go_again()

    @precondition(lambda self: self._any(State.SENDING, State.UNKNOWN))
    @rule(reads=st.booleans(), lags=st.booleans())
    def a_settler_begins(self, reads: bool, lags: bool) -> None:
        with self._acting():
            settler = self._begins()
            if reads:
                self._reads(settler, lags)

    def _begins(self) -> Settler:
        go_again()
        settler = Settler(tuple(self.settlers))
        for doubt in _take_doubts(None):
            settler.doubts.setdefault(doubt.account, []).append(doubt)
        if settler.doubts:
            self.settlers.append(settler)
        return settler

    @precondition(lambda self: self.settlers)
    @rule(which=which, lags=st.booleans())
    def a_settler_reads(self, which: int, lags: bool) -> None:
        with self._acting():
            self._reads(self.settlers[which % len(self.settlers)], lags)

    def _reads(self, settler: Settler, lags: bool) -> None:
        settler.shown = {
            account: self.twilio.read(account, settler, lags=lags) for account in settler.doubts
        }

    @precondition(lambda self: self.settlers)
    @rule(which=which, lags=st.booleans())
    def a_settler_ends(self, which: int, lags: bool) -> None:
        with self._acting():
            settler = self.settlers.pop(which % len(self.settlers))
            if settler.shown is None:
                self._reads(settler, lags)
            self._ends(settler)

    def _ends(self, settler: Settler) -> None:
        assert settler.shown is not None
        with self.twilio.showing(settler.shown):
            for account, doubts in settler.doubts.items():
                _settle_account(account, doubts, math.inf, None)

    @precondition(lambda self: self._any(State.SENDING, State.UNKNOWN))
    @rule(quiet=st.booleans(), together=st.booleans())
    def two_settlers_are_shown_an_old_list(self, quiet: bool, together: bool) -> None:
        """As old as may be: once the quiet period is over, those who read at the same time are
        shown the same. Whoever was at it before dies."""
        with self._acting():
            self._goes_on(LEASE + 1 + quiet * QUIET)
            self.settlers.clear()
        for _ in range(2):
            with self._acting():
                self._goes_on(QUIET / 4 + 1)
                self._reads(self._begins(), lags=True)
            if not together:
                self._all_end()
        self._all_end()

    @precondition(lambda self: self._any(State.QUEUED))
    @rule(lane=lanes, outcome=st.sampled_from(LOST), quiet=st.booleans(), together=st.booleans())
    def answers_are_lost_and_the_list_is_old(
        self, lane: Lane, outcome: str, quiet: bool, together: bool
    ) -> None:
        with self._acting():
            batch = self._claim(lane)
            for text in batch.claimed:
                batch.answers[text.id] = self.twilio.post(text, outcome)
        if not batch.claimed:
            return
        with self._acting():
            self.batches.remove(batch)
            self._records(batch)
        self.two_settlers_are_shown_an_old_list(quiet, together)
        with self._acting():
            send_due(lane)

    def _all_end(self) -> None:
        while self.settlers:
            with self._acting():
                self._ends(self.settlers.pop(0))

    @precondition(lambda self: self.settlers)
    @rule(which=which)
    def a_settler_dies(self, which: int) -> None:
        with self._acting():
            self.settlers.pop(which % len(self.settlers))

    @precondition(lambda self: self._any(State.SENDING, State.UNKNOWN))
    @rule(minutes=st.sampled_from([0, 0, 3]))
    def everything_is_settled(self, minutes: int) -> None:
        with self._acting():
            self._goes_on(minutes * 60)
            settle()

    @precondition(lambda self: self._any(State.ACCEPTED, State.SENT) or self.twilio.said)
    @rule()
    def a_worker_reads_back(self) -> None:
        with self._acting():
            self._goes_on(11 * 60)
            read_back()

    # --- the world -------------------------------------------------------------------------------

    @precondition(lambda self: self._any(*OPEN) and self.passed_at < self.act - 1)
    @rule(seconds=st.sampled_from([1, 3, 3, 5, 8, 16, 16, 31, 60, 140, 140, 310, 3600]))
    def time_passes(self, seconds: int) -> None:
        with self._acting():
            self._goes_on(seconds)
            self.passed_at = self.act

    @precondition(lambda self: any(m.status in FATES for m in self.twilio.taken))
    @rule(which=which, fate=which)
    def twilio_carries_a_text(self, which: int, fate: int) -> None:
        with self._acting():
            open_ = [m for m in self.twilio.taken if m.status in FATES]
            message = open_[which % len(open_)]
            fates = FATES[message.status]
            self.twilio.carry(message, *fates[fate % len(fates)])

    @precondition(lambda self: self.twilio.reports)
    @rule(which=which, again=st.booleans())
    def a_callback_arrives(self, which: int, again: bool) -> None:
        with self._acting():
            self._report(which, again=again)

    @precondition(lambda self: self.twilio.reports)
    @rule(which=which)
    def a_callback_is_lost(self, which: int) -> None:
        with self._acting():
            self.twilio.reports.pop(which % len(self.twilio.reports))

    @rule(phone=st.sampled_from(PHONES), sender=which, body=st.sampled_from(["STOP", "START", "?"]))
    def a_phone_writes(self, phone: str, sender: int, body: str) -> None:
        with self._acting():
            to = self.senders[sender % len(self.senders)]
            sid = f"SM{'f' * 8}{len(self.twilio.said):024x}"
            said = Said(sid, to.account, to.number, phone, body, self.clock.at)
            self.twilio.hear(said)
            if sender < 4:
                self._hear_from(said)

    @precondition(lambda self: self.twilio.said)
    @rule(which=which)
    def an_inbound_text_arrives_late_or_again(self, which: int) -> None:
        with self._acting():
            self._hear_from(self.twilio.said[-1 - which % len(self.twilio.said)])

    @precondition(lambda self: self._any(*OPEN))
    @rule(weather=st.sampled_from(["list", "token", "other token", *PHONES]))
    def the_weather_changes(self, weather: str) -> None:
        with self._acting():
            if weather == "list":
                self.twilio.unreadable = not self.twilio.unreadable
            elif weather in PHONES:
                self.twilio.bad_numbers ^= {weather}
            else:
                sender = self.senders[-1 if weather == "other token" else 0]
                self.twilio.locked_out ^= {sender.account}


def test_no_interleaving_sends_twice_or_loses_a_text(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    # Thousands of accounts that fail as they should.
    caplog.set_level(logging.CRITICAL, "messaging")
    profile = settings.default
    run_state_machine_as_test(
        Outbox,
        settings=settings(profile, max_examples=profile.max_examples // 2, stateful_step_count=50),
    )
