"""All that the simulator was ever given, and what became of it. It never forgives: what a test
counts as sent twice or lost, it counts here.

With a file every line is written before the answer is, so that a kill -9 of the simulator and a
restart lose nothing that it had accepted (as Twilio's own crash wouldn't). Not fsynced: it is
processes that the fault tests kill, not machines.
"""

from __future__ import annotations

import json
import secrets
from bisect import bisect_left, insort
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from dev import twilio_wire as wire

Row = dict[str, Any]


@dataclass(slots=True, eq=False)
class Message:
    account_sid: str
    to: str
    sender: str | None  # unknown until one is chosen, when a messaging service was named
    body: str
    direction: str
    status: str
    created: datetime
    real_at: float  # epoch seconds on the real clock, whatever /_sim/clock says
    segments: int
    callback_url: str = ""
    service_sid: str | None = None
    validity: int = wire.MAX_VALIDITY_SECONDS
    updated: datetime | None = None
    sent: datetime | None = None
    error_code: int | None = None
    sid: str = field(default_factory=lambda: "SM" + secrets.token_hex(16))
    seq: int = -1

    @property
    def inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def phone(self) -> str:
        """The number of the person, whichever way the text went."""
        return (self.sender or "") if self.inbound else self.to

    def resource(self) -> Row:
        """The Message resource as Twilio's API shows it."""
        uri = f"/{wire.API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        error = wire.DELIVERY_ERRORS.get(self.error_code or 0)
        return {
            "body": self.body,
            # Zero until a messaging service has chosen its sender, says the SDK's own docstring.
            "num_segments": str(self.segments if self.sender else 0),
            "direction": self.direction,
            "from": self.sender,
            "to": self.to,
            "date_created": wire.rfc2822(self.created),
            "date_updated": wire.rfc2822(self.updated or self.created),
            "date_sent": wire.rfc2822(self.sent),
            "price": None,
            "price_unit": "USD",
            "error_code": self.error_code,
            "error_message": error[1] if error else None,
            "uri": uri + ".json",
            "account_sid": self.account_sid,
            "num_media": "0",
            "status": self.status,
            "messaging_service_sid": self.service_sid,
            "sid": self.sid,
            "api_version": wire.API_VERSION,
            "subresource_uris": {"media": uri + "/Media.json"},
        }

    def entry(self) -> Row:
        """The same in the ledger's own words."""
        ours, attempt = wire.our_id(self.callback_url)
        return {
            "seq": self.seq,
            "id": ours,
            "attempt": attempt,
            "sid": self.sid,
            "account_sid": self.account_sid,
            "direction": self.direction,
            "to": self.to,
            "sender": self.sender,
            "body": self.body,
            "segments": self.segments,
            "status": self.status,
            "error_code": self.error_code,
            "at": self.created.isoformat(),
            "sent_at": self.sent.isoformat() if self.sent else None,
            "real_at": datetime.fromtimestamp(self.real_at, UTC).isoformat(),
            "validity_seconds": self.validity,
        }


@dataclass(slots=True)
class Phone:
    """One person's phone, as the page shows it."""

    texts: list[Message | Row] = field(default_factory=list)  # a Row is the carrier's own text
    version: int = 0


_DATES = ("created", "updated", "sent")
_KEPT = [kept.name for kept in fields(Message) if kept.name != "seq"]


class Ledger:
    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.played: datetime | None = None  # the instant that /_sim/clock set
        self.version = 0
        self._empty()
        if path is not None:
            self._replay(path)
            self._file = path.open("ab", buffering=0)

    def _empty(self) -> None:
        self.messages: list[Message] = []
        self.by_sid: dict[str, Message] = {}
        # What a list call can filter by, each in the order of arrival.
        self._lists: defaultdict[tuple[str, ...], list[Message]] = defaultdict(list)
        self.by_our_id: defaultdict[str, list[Message]] = defaultdict(list)
        self.phones: OrderedDict[str, Phone] = OrderedDict()  # the last one to change comes last
        self.refused: list[Row] = []
        self.opted_out: set[tuple[str, str]] = set()  # (phone, sender)
        self.injected: Counter[str] = Counter()
        # Never back to zero: a page that polls "since" would wait for ever after a reset.
        self.version += 1

    def now(self) -> datetime:
        return self.played or datetime.now(UTC)

    # -- what happens -------------------------------------------------------------------------

    def add(self, message: Message) -> None:
        self._index(message)
        # Not asdict: it copies deeply, and was a tenth of what a message costs.
        self._write("message", {name: getattr(message, name) for name in _KEPT})

    def move(
        self,
        message: Message,
        status: str,
        *,
        error: int | None = None,
        sent: bool = False,
        sender: str | None = None,
    ) -> None:
        now = self.now()
        change: Row = {"status": status, "updated": now}
        if error is not None:
            change["error_code"] = error
        if sent:
            change["sent"] = now
        if sender is not None:
            change["sender"] = sender
        self._apply(message, change)
        self._write("move", {"sid": message.sid, **change})

    def refuse(self, row: Row) -> None:
        self.refused.append(row)
        self._write("refused", row)

    def opt(self, phone: str, sender: str, *, out: bool) -> bool:
        """Whether this changed anything."""
        if ((phone, sender) in self.opted_out) == out:
            return False
        (self.opted_out.add if out else self.opted_out.discard)((phone, sender))
        self._write("opt", {"phone": phone, "sender": sender, "out": out})
        return True

    def note(self, phone: str, sender: str, body: str) -> None:
        """A text of the carrier's own. Twilio's message list doesn't show these."""
        row: Row = {"phone": phone, "from": sender, "body": body, "at": self.now().isoformat()}
        self._touch(phone).texts.append(row)
        self._write("note", row)

    def count_fault(self, kind: str) -> None:
        self.injected[kind] += 1
        self._write("injected", {"kind": kind})

    def reset(self) -> None:
        self._empty()
        self.played = None
        if self._file is not None:
            self._file.truncate(0)

    # -- what is asked ------------------------------------------------------------------------

    def listed(
        self, account: str, to: str = "", sender: str = "", before: int | None = None
    ) -> Iterator[Message]:
        """Newest first, from before a sequence number. Costs what is read, not what is kept."""
        if to:
            rows = self._lists.get((account, "to", to), [])
        elif sender:
            rows = self._lists.get((account, "from", sender), [])
        else:
            rows = self._lists.get((account,), [])
        end = (
            len(rows)
            if before is None
            else bisect_left(rows, before, key=lambda message: message.seq)
        )
        for index in range(end - 1, -1, -1):
            if not sender or rows[index].sender == sender:
                yield rows[index]

    def summary(self, ours: str = "") -> dict[str, Row]:
        """By our id, over its attempts: how often Twilio took it. More than one is a double."""
        asked = (
            {ours: self.by_our_id[ours]}
            if ours in self.by_our_id
            else {}
            if ours
            else self.by_our_id
        )
        return {
            ours: {
                "accepted": len(messages),
                "attempts": [wire.our_id(message.callback_url)[1] for message in messages],
                "sids": [message.sid for message in messages],
                "statuses": [message.status for message in messages],
                "to": messages[0].to,
            }
            for ours, messages in asked.items()
        }

    # -- in memory and on disk ----------------------------------------------------------------

    def _touch(self, number: str) -> Phone:
        self.version += 1
        phone = self.phones.setdefault(number, Phone())
        phone.version = self.version
        self.phones.move_to_end(number)
        return phone

    def _index(self, message: Message) -> None:
        message.seq = len(self.messages)
        self.messages.append(message)
        self.by_sid[message.sid] = message
        account = message.account_sid
        self._lists[account,].append(message)
        self._lists[account, "to", message.to].append(message)
        if message.sender:
            self._lists[account, "from", message.sender].append(message)
        ours = wire.our_id(message.callback_url)[0]
        if ours is not None:
            self.by_our_id[ours].append(message)
        self._touch(message.phone).texts.append(message)

    def _apply(self, message: Message, change: Row) -> None:
        for name, value in change.items():
            setattr(message, name, value)
        if "sender" in change:
            # Listed by its sender only now, and among the others by its age.
            insort(
                self._lists[message.account_sid, "from", change["sender"]],
                message,
                key=lambda other: other.seq,
            )
        self.version += 1
        self.phones[message.phone].version = self.version

    def _write(self, event: str, row: Row) -> None:
        if self._file is not None:
            # One write call for a whole line: a kill -9 leaves it there in full or not at all.
            self._file.write(json.dumps({"event": event, **row}, default=_plain).encode() + b"\n")

    def _replay(self, path: Path) -> None:
        if not path.exists():
            return
        kept = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # cut short, so it was never answered
                self._redo(json.loads(line))
                kept += len(line)
        with path.open("ab") as file:
            file.truncate(kept)

    def _redo(self, row: Row) -> None:
        event = row.pop("event")
        for name in _DATES:
            if row.get(name):
                row[name] = datetime.fromisoformat(row[name])
        if event == "message":
            self._index(Message(**row))
        elif event == "move":
            message = self.by_sid[row.pop("sid")]
            self._apply(message, row)
        elif event == "refused":
            self.refused.append(row)
        elif event == "opt":
            (self.opted_out.add if row["out"] else self.opted_out.discard)(
                (row["phone"], row["sender"])
            )
        elif event == "note":
            self._touch(row["phone"]).texts.append(row)
        elif event == "injected":
            self.injected[row["kind"]] += 1


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} has no place in the ledger")
