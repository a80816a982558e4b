"""The end of a story of texts: everything calms down, and each text is judged by how it ended."""

from collections import defaultdict
from uuid import UUID

from django.db import connection, transaction

from messaging.models import Kind, Lane, OptOut, SmsEvent
from messaging.reading_back import read_back
from messaging.sending import send_due
from messaging.settling import settle
from messaging.states import NEWS, State
from tests.property.text_notes import LONGEST_WAIT, NO_END, OPEN, Row
from tests.property.texting import Texting
from tests.property.twilio_model import Taken


class Resting(Texting):
    """Texting that comes to rest and is judged when a story is over."""

    def teardown(self) -> None:
        try:
            if self.act and not self.halted:
                self._calm_down()
                self._judge_the_end()
                connection.check_constraints()
        finally:
            self.patch.undo()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _calm_down(self) -> None:
        """Who was at it dies, Twilio works again, and the clocks tick until all is at rest."""
        self.twilio.unreadable = False
        self.twilio.locked_out.clear()
        self.twilio.bad_numbers.clear()
        for message in self.twilio.taken:
            self._arrives(message)
        for tick in range(100):
            self._everybody_looks()
            states = {row.state for row in self.rows.values()}
            if not states & NO_END:
                return
            with self._acting():
                if states & OPEN:
                    self._goes_on(20 if tick < 12 else 60)
                else:
                    self._goes_on(11 * 60)
        stuck = [(id_, row) for id_, row in self.rows.items() if row.state in NO_END]
        raise AssertionError(f"never at rest: {stuck}")

    def _everybody_looks(self) -> None:
        while self.twilio.reports and not self.lossy:
            with self._acting():
                self._report(0, again=False)
        for said in self.twilio.said:
            if said.sid not in self.told_of and not self.lossy:
                with self._acting():
                    self._hear_from(said)
        for lane in Lane:
            with self._acting():
                send_due(lane)
        with self._acting():
            settle()
        with self._acting():
            read_back()
        with self._acting():
            self._take_news()
        for message in self.twilio.taken:
            self._arrives(message)

    def _arrives(self, message: Taken) -> None:
        if message.status == "queued":
            self.twilio.carry(message, "sent")
        if message.status == "sent":
            self.twilio.carry(message, "delivered")

    def _judge_the_end(self) -> None:
        of_text: defaultdict[UUID, list[Taken]] = defaultdict(list)
        for message in self.twilio.taken:
            of_text[message.text.id].append(message)
        for id_, row in self.rows.items():
            self._judge_end(id_, row, [m for m in of_text[id_] if not m.given_up])
        for (scope, number), words in self.words.items():
            row = OptOut.objects.filter(scope=scope, number=number).first()
            assert not words or (row is not None and row.opted_out == self._stopped(scope, number))
        events = SmsEvent.objects.filter(source="callback")
        kept = list(events.values_list("sms_id", "attempt", "status", "sid"))
        assert len(kept) == len(self.kept)
        assert set(kept) == self.kept, "each report is kept once"

    def _judge_end(self, id_: UUID, row: Row, had: list[Taken]) -> None:
        """It ended in a way that is right for it, that is the truth, and that was told."""
        statuses = {message.status for message in had}
        note = self.notes[id_]
        if row.state in NEWS:
            assert (id_, row.state) in self.news, "ended badly, and nobody heard of it"
        match row.state:
            case State.DELIVERED | State.UNDELIVERED:
                assert row.state.value in statuses, "Twilio knows nothing of this"
                return
            case State.FAILED if id_ not in self.twilio.refused:
                assert "failed" in {m.status for m in self.twilio.taken if m.text.id == id_}
                return
            case State.EXPIRED:
                left = row.expires_at - row.state_at
                assert row.requeued or left.total_seconds() <= LONGEST_WAIT, "gave up in time"
            case State.SUPPRESSED | State.CANCELLED | State.FAILED:
                pass  # judged when it came to that
            case _:
                raise AssertionError(f"has no last word: {row}")
        repeats = note.text.kind == Kind.REPEAT
        nobody_told = self.lossy and (row.state == State.EXPIRED or repeats)
        # Twice beats never, and one row alone can have the key.
        keys = [other.text.dedup_key for other in self.notes.values()]
        queued_anew = repeats and keys.count(note.text.dedup_key) > 1
        assert not had or nobody_told or queued_anew, f"{row.state}, but Twilio took it"
