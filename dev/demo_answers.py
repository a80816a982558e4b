"""The demo's people answer by themselves: most are done, some later, some have a problem, a few say
nothing. Each through their own phone in the simulator, in their own language.

A phone that somebody has answered by hand is left alone. Needs Django to be set up.
"""

import heapq
import itertools
import random
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from dev.environment import ROUTINE_NUMBER
from dev.simulator_client import SimulatorClient, Text
from messaging.models import Sms
from reminders.models import Patient

SOONEST, LATEST = 6.0, 45.0
"""Seconds after which a phone answers."""


class Says(StrEnum):
    """What somebody has to say about a dose."""

    DONE = "done"
    LATER = "later"
    SKIP = "skip"
    EFFECT = "effect"
    CALL = "call"
    FEVER = "fever"
    UNCLEAR = "unclear"
    NOTHING = "nothing"


MIX = (
    Says.DONE, Says.FEVER, Says.LATER, Says.EFFECT, Says.DONE, Says.DONE, Says.UNCLEAR, Says.DONE,
    Says.NOTHING, Says.DONE, Says.DONE, Says.SKIP, Says.DONE, Says.LATER, Says.DONE, Says.CALL,
    Says.DONE, Says.DONE, Says.NOTHING, Says.DONE,
)  # fmt: skip
"""In turn, so that a demo of a few minutes has something of most."""

WORDS: Mapping[str, Mapping[Says, Sequence[str]]] = {
    "en": {
        Says.DONE: ("done", "Done thanks", "1", "all done x"),
        Says.LATER: ("later", "2", "remind me later"),
        Says.SKIP: ("skip this week", "3"),
        Says.EFFECT: ("done but bad headache", "done, a bit tired today"),
        Says.CALL: ("please call me", "can someone ring me"),
        Says.FEVER: ("fever since yesterday",),
        Says.UNCLEAR: ("is it ok to fly to Spain next month?",),
    },
    "cy": {
        Says.DONE: ("wedi gwneud", "wedi ei wneud diolch", "1"),
        Says.LATER: ("nes ymlaen", "2"),
        Says.SKIP: ("hepgor",),
        Says.EFFECT: ("wedi gwneud ond wedi blino",),
        Says.CALL: ("ffoniwch fi",),
        Says.FEVER: ("twymyn ers ddoe",),
        Says.UNCLEAR: ("ydy'r clinig ar agor dydd Llun?",),
    },
    "es": {
        Says.DONE: ("hecho", "ya está", "1"),
        Says.LATER: ("más tarde", "2"),
        Says.SKIP: ("omitir",),
        Says.EFFECT: ("hecho pero me duele la cabeza",),
        Says.CALL: ("llámame por favor",),
        Says.FEVER: ("fiebre desde ayer",),
        Says.UNCLEAR: ("¿puedo viajar el mes que viene?",),
    },
    "fr": {
        Says.DONE: ("fait", "c'est fait", "1"),
        Says.LATER: ("plus tard", "2"),
        Says.SKIP: ("sauter",),
        Says.EFFECT: ("fait mais mal à la tête",),
        Says.CALL: ("appelez-moi",),
        Says.FEVER: ("fièvre depuis hier",),
        Says.UNCLEAR: ("la clinique est ouverte lundi ?",),
    },
    "de": {
        Says.DONE: ("erledigt", "gemacht", "1"),
        Says.LATER: ("später", "2"),
        Says.SKIP: ("auslassen",),
        Says.EFFECT: ("erledigt, aber Kopfschmerzen",),
        Says.CALL: ("bitte rufen Sie mich an",),
        Says.FEVER: ("Fieber seit gestern",),
        Says.UNCLEAR: ("Haben Sie am Montag offen?",),
    },
    "pl": {
        Says.DONE: ("zrobione", "1"),
        Says.LATER: ("później", "2"),
        Says.SKIP: ("pomijam",),
        Says.EFFECT: ("zrobione ale boli głowa",),
        Says.CALL: ("proszę o telefon",),
        Says.FEVER: ("gorączka od wczoraj",),
        Says.UNCLEAR: ("czy przychodnia jest otwarta w poniedziałek?",),
    },
}


class Phones:
    """All phones of the demo but those kept for its visitor: `look` lets them answer what came."""

    def __init__(self, simulator: SimulatorClient, kept: Collection[str]) -> None:
        """kept: numbers that nobody answers from but by hand."""
        self._simulator = simulator
        self._seen = simulator.health()["messages"]
        self._by_hand = set(kept)
        self._sent: set[str] = set()
        self._mix = itertools.cycle(MIX)
        self._waiting: list[tuple[float, str, str]] = []
        self._chance = random.Random()  # noqa: S311 - no secret

    def look(self, now: float) -> int:
        """Take note of new texts, and send the answers whose time has come; how many. now: seconds
        of a clock that only rises."""
        if self._simulator.health()["messages"] > self._seen:
            since = self._simulator.ledger(since_seq=self._seen)
            self._seen = since["next_seq"]
            self._by_hand |= {
                text["sender"] or "" for text in since["inbound"] if text["sid"] not in self._sent
            }
            self._note(since["messages"], now)
        before = len(self._sent)
        while self._waiting and self._waiting[0][0] <= now:
            _, number, body = heapq.heappop(self._waiting)
            if number not in self._by_hand:
                self._sent.add(self._simulator.answer(number, ROUTINE_NUMBER, body))
        return len(self._sent) - before

    def _note(self, texts: Sequence[Text], now: float) -> None:
        """Each reminder gets its answer: the first as the mix has it, a later one is done."""
        steps = dict(
            Sms.objects.filter(
                id__in=[text["id"] for text in texts if text["id"]], dedup_key__startswith="dose:"
            ).values_list("id", "dedup_key")
        )
        languages = dict(
            Patient.objects.filter(number__in=[text["to"] for text in texts]).values_list(
                "number", "language"
            )
        )
        for text in texts:
            key = next((key for id_, key in steps.items() if str(id_) == text["id"]), "")
            if not key or text["to"] in self._by_hand:
                continue
            says = next(self._mix) if key.endswith(":day") else Says.DONE
            if says == Says.NOTHING or key.endswith(":overdue"):
                continue
            body = self._chance.choice(WORDS[languages[text["to"]]][says])
            after = self._chance.uniform(SOONEST, LATEST)
            heapq.heappush(self._waiting, (now + after, text["to"], body))
