"""What comes in from Twilio: texts that people send, and reports on ours. Signatures are checked
before, by the door.

A domain pulls the texts of its scope from here (`untaken`, `take_inbound`).
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from messaging import circuits
from messaging.evidence import Report, Source, advance
from messaging.gateway import Fault
from messaging.models import InboundSms, OptOut, Scope, Sender, Sms
from messaging.pace import slow_down
from messaging.states import Finding
from messaging.vocabulary import CarrierWord, carrier_word, evidence_in, fault_of

log = logging.getLogger(__name__)

LONGEST_NUMBER = 16
MOST_ATTEMPTS = 32_767

NOT_READ = frozenset({Scope.COMMUNITY, Scope.MODERATORS})
"""Scopes whose texts are nobody's to read: their words aren't kept, only what carriers ask for."""

FAILS = frozenset({Finding.FAILED, Finding.UNDELIVERED})
HEEDED = frozenset({Fault.OPTED_OUT, Fault.ACCOUNT, Fault.SENDER, Fault.RATE})
"""Faults that matter to other texts."""


def receive(params: Mapping[str, str], now: datetime) -> bool:
    """Store one inbound text, and honour a carrier word in it; whether it was new.

    `params` are the fields of Twilio's webhook: MessageSid, AccountSid, From, To, Body. One that
    is for a number we don't have is stored nowhere.
    """
    sender = Sender.objects.filter(
        number=params.get("To", ""), account=params.get("AccountSid", "")
    ).first()
    if sender is None:
        log.warning("An inbound text came for a number that is no sender of ours")
        return False
    if sender.inbound_seen_at is None:
        Sender.objects.filter(id=sender.id).update(inbound_seen_at=now)
    return store(
        sender, params.get("MessageSid", ""), params.get("From", ""), params.get("Body", ""), now
    )


def store(sender: Sender, sid: str, number: str, body: str, received_at: datetime) -> bool:
    """Store a text that one of our senders got, once for its sid; whether it was new. Of
    scopes that nobody reads (NOT_READ) the words are left out."""
    if not 0 < len(number) <= LONGEST_NUMBER or not 0 < len(sid) <= 34:
        return False
    word = carrier_word(body)
    # Without what Postgres can't keep: NUL, and halves of pairs.
    kept = body.replace("\0", "").encode(errors="replace").decode()
    with transaction.atomic():
        row, new = InboundSms.objects.get_or_create(
            sid=sid,
            defaults={
                "scope": sender.scope,
                "sender": sender,
                "number": number,
                "body": "" if sender.scope in NOT_READ else kept,
                "carrier_word": word or "",
                "received_at": received_at,
            },
        )
        if new and word in {CarrierWord.STOP, CarrierWord.START}:
            stop = word == CarrierWord.STOP
            row.turned = say(sender.scope, number, opted_out=stop, said_at=received_at)
            row.save(update_fields=["turned"])
    return new


def say(scope: str, number: str, *, opted_out: bool, said_at: datetime) -> bool:
    """Note whether a number takes texts in a scope; whether that is something new. An older word
    never overrides a later one."""
    word = {"opted_out": opted_out, "said_at": said_at}
    row, new = OptOut.objects.get_or_create(scope=scope, number=number, defaults=word)
    if new:
        return opted_out
    earlier = OptOut.objects.filter(id=row.id, said_at__lt=said_at)
    turned = earlier.exclude(opted_out=opted_out).update(**word)
    earlier.update(**word)
    return bool(turned)


def unsay(scope: Scope, number: str, said_at: datetime) -> None:
    """Take back that a number takes no texts, if nothing was said of it since."""
    said = OptOut.objects.filter(scope=scope, number=number, opted_out=True, said_at=said_at)
    said.update(opted_out=False)


def opted_out(scope: Scope, numbers: Collection[str]) -> dict[str, datetime]:
    """Which of these numbers take no texts in a scope, and since when."""
    said = OptOut.objects.filter(scope=scope, number__in=numbers, opted_out=True)
    return dict(said.values_list("number", "said_at"))


def texts(scope: Scope, ids: Collection[UUID]) -> dict[UUID, InboundSms]:
    """These texts that people sent us in a scope, by their ids."""
    return InboundSms.objects.filter(scope=scope).in_bulk(ids)


def report(sms_id: UUID, attempt: int, params: Mapping[str, str]) -> None:
    """Take a status callback of Twilio's on an attempt of ours.

    `params` are its fields: MessageSid, MessageStatus, ErrorCode. What we don't know (the text,
    the status) is passed over: a report that can't be used must not come again and again.
    """
    code = params.get("ErrorCode", "")
    error_code = int(code) if code.isdecimal() and 0 < len(code) < 10 else None
    finding = evidence_in(params.get("MessageStatus", ""), error_code)
    if finding is None or not 0 < attempt <= MOST_ATTEMPTS:
        return
    sid = params.get("MessageSid", "")[:34].replace("\0", "")
    found = [Report(sms_id, attempt, Source.CALLBACK, finding, sid, error_code)]
    advance(found)
    heed(found)


def heed(reports: Iterable[Report], now: datetime | None = None) -> None:
    """Take what became of texts that Twilio had accepted for what it says of people, senders and
    accounts, as its answers to posts are taken: a stop is noted, what fails for our account or our
    sender rests, a sender that is too quick slows down.

    Of present attempts alone: whose an earlier one was isn't known any more.
    """
    faults: dict[UUID, tuple[Report, Fault]] = {}
    for report in reports:
        if report.finding in FAILS and report.error_code is not None:
            fault = fault_of(report.error_code)
            if fault in HEEDED:
                faults[report.sms_id] = report, fault
    if not faults:
        return
    blamed: dict[str, str] = {}
    for sms in Sms.objects.filter(id__in=faults).select_related("sender").order_by("id"):
        report, fault = faults[sms.id]
        if sms.attempt != report.attempt or sms.sender is None or sms.claimed_at is None:
            continue
        if fault == Fault.OPTED_OUT:
            say(sms.scope, sms.to, opted_out=True, said_at=sms.claimed_at)
        elif fault == Fault.RATE:
            slow_down(sms.sender.id, 0, now)
        else:
            name = sms.account if fault == Fault.ACCOUNT else sms.sender.number
            blamed[name] = f"error {report.error_code}"
    circuits.blame(blamed, now)


def untaken(scope: Scope, most: int) -> list[InboundSms]:
    """Texts of a scope that its domain has not taken yet, locked until the caller's transaction
    ends: the oldest of each number alone, so that one number's texts are handled in turn."""
    earlier = InboundSms.objects.filter(
        scope=OuterRef("scope"),
        number=OuterRef("number"),
        taken_at__isnull=True,
        id__lt=OuterRef("id"),
    )
    return list(
        InboundSms.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(~Exists(earlier), scope=scope, taken_at__isnull=True)
        .order_by("id")[:most]
    )


def take_inbound(rows: Iterable[InboundSms], now: datetime) -> None:
    """Mark inbound texts as taken."""
    InboundSms.objects.filter(id__in=[row.id for row in rows]).update(taken_at=now)
