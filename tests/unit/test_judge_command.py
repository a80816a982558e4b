"""`manage.py judge`, as rule writers use it: it is what posting does; and what a hit says."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from community.management.commands import judge as command
from community.models import HouseRule, RuleState
from community.moderation.rule_book import Book
from community.posts.judging import assess
from community.posts.posting import reply
from community.rules import Action, Rule, Rulebook, State, judge
from tests.cast import NOW
from tests.community import as_actor, begin, make_circle
from tests.community import wrote as writing
from tests.unit.test_judging_corpus import POSTS

pytestmark = pytest.mark.django_db


def printed(monkeypatch: pytest.MonkeyPatch, lines: list[str], *args: str) -> list[dict[str, Any]]:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    out = io.StringIO()
    try:
        call_command("judge", *args, stdout=out)
    finally:
        found = [json.loads(line) for line in out.getvalue().splitlines()]
    return found


def line(text: str, language: str = "en") -> str:
    return json.dumps({"lang": language, "text": text})


def test_a_verdict_says_what_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "I don't want to die, ring 07700 900123"
    [found] = printed(monkeypatch, [line(text)])
    crisis, phone = found.pop("hits")
    assert found == {
        "state": "pending",
        "crisis": True,
        "advice": False,
        "masked": "I don't want to die, ring [phone number]",
    }
    assert (crisis["rule"], crisis["version"]) == ("crisis.suicide.en", 1)
    assert (crisis["action"], crisis["note"]) == ("crisis", "negated")
    assert text[slice(*crisis["place"])] == "want to die"
    assert (phone["rule"], phone["action"]) == ("personal.phone", "mask")
    assert text[slice(*phone["place"])] == "07700 900123"


HIDDEN = {
    "as it is": lambda text: text,
    "figured": lambda text: f"{text[:5]}&#{ord(text[5])};{text[6:]}",
    "split": lambda text: f"{text[:5]}&zwnj;{text[5:]}",
    "marked": lambda text: f"{text[:5]}**{text[5:7]}**{text[7:]}",
}
"""Ways to write the same for a reader, and not for a machine."""


@pytest.mark.parametrize("how", HIDDEN)
def test_it_says_what_posting_does(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    circle = make_circle()
    HouseRule.objects.create(
        key="tea", version=1, action="hold", phrases=["fatigue"], description="Tea",
        written_by=circle.eagle, written_at=NOW, state=RuleState.ON, switched=1,
    )  # fmt: skip
    thread = begin(circle.owl, circle.sleep).post.thread
    texts = [(HIDDEN[how](post["text"]), post["language"]) for post in POSTS[3::80]]
    texts += [(HIDDEN[how](text), "en") for text in ("07700 900123 call me", "my fatigue is bad")]
    found = printed(monkeypatch, [line(*text) for text in texts])
    for said, (text, language) in zip(found, texts, strict=True):
        wrote = writing(text, language=language)
        stored = reply(circle.owl.id, thread.id, wrote, as_actor(circle.owl), NOW).revision
        rules = {(hit["rule"], hit["version"]) for hit in said["hits"]}
        assert (said["state"], said["crisis"], said["advice"], said["masked"]) == (
            stored.verdict, stored.crisis, stored.advice, stored.body,
        ), text  # fmt: skip
        assert rules == {(hit["rule"], hit["version"]) for hit in stored.hits}, text


def test_what_only_a_reader_sees_is_somewhere_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "I want to ki&#108;l myself, ring 07700 900123"
    [found] = printed(monkeypatch, [line(text)])
    assert (found["state"], found["crisis"]) == ("pending", True)
    assert {hit["rule"]: text[slice(*hit["place"])] for hit in found["hits"]} == {
        "crisis.suicide.en": text,
        "personal.phone": "07700 900123",
    }


def test_a_sign_that_is_masked_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moderators mask takes nothing away from what the text comes to."""
    book = Book(1, Rulebook([Rule("hush", 1, Action.MASK, ("want to die",))]))
    assessment = assess(writing("I want to die"), book, trusted=True)
    assert assessment.writing.body == "I [removed]"
    assert (assessment.state, assessment.crisis) == (State.PENDING, True)
    assert {hit["rule"] for hit in assessment.hits} == {"hush", "crisis.suicide.en"}


def test_without_a_database_the_houses_rules_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError

    monkeypatch.setattr(command, "current_book", gone)
    [found] = printed(monkeypatch, [line("I want to die")])
    assert found["crisis"]


def test_lines_are_answered_in_order_and_empty_ones_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = printed(monkeypatch, [line("hej", "pl"), "", line("sprzedam dwa peny", "pl")])
    assert [one["state"] for one in found] == ["published", "blocked"]


def test_a_new_members_posts_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line("hello"), line("selling pens")]
    assert [one["state"] for one in printed(monkeypatch, lines)] == ["published", "blocked"]
    found = printed(monkeypatch, lines, "--new-member")
    assert [one["state"] for one in found] == ["pending", "blocked"]


def test_a_bad_line_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["nonsense", "[1]", '{"lang": "en"}', '{"lang": 1, "text": "x"}', "[" * 100_000]
    good = '{"lang": "en", "text": "hello \\ud800"}'
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*lines, good])))
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("judge", stdout=out)
    assert ended.value.code == 1
    found = [json.loads(row) for row in out.getvalue().splitlines()]
    assert [one.get("error", "")[:7] for one in found] == [*(f"line {n}:" for n in range(1, 6)), ""]
    assert found[-1]["masked"] == "hello ?"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("I want to die", ""),
        ("I never want to die", "negated"),
        ("not a joke, but I want to die", ""),
        ('somebody wrote "I want to die"', "quoted"),
        ("sie schrieb „ich will sterben“", "quoted"),
        ("> I want to die", "quoted"),
        ('"I don\'t want to die" he said', "negated quoted"),
    ],
)
def test_negation_and_quotation_are_noted_and_drop_no_crisis(text: str, note: str) -> None:
    verdict = judge(text, "en")
    assert verdict.crisis
    assert {hit.note for hit in verdict.hits if hit.action == Action.CRISIS} == {note}


def test_a_moderators_rule_is_data() -> None:
    rule = Rule(
        "snake-oil", 4, Action.HOLD, ("magic/wonder ~ tea*",), languages=("en",),
        unless=("no magic tea*",),
    )  # fmt: skip
    book = Rulebook([rule])
    for text, language, held in (
        ("this magic herbal tea", "en", True),
        ("m a g i c  t e a s", "en", True),
        ("there is no magic tea", "en", False),
        ("magic tea", "de", False),
        ("magic. Then tea", "en", False),
    ):
        verdict = judge(text, language, book)
        assert (verdict.state == State.PENDING) is held, text
        assert [(hit.rule, hit.version) for hit in verdict.hits] == [("snake-oil", 4)] * held


def test_a_moderators_mask_says_that_something_was_removed() -> None:
    book = Rulebook([Rule("nurse", 1, Action.MASK, ("nurse jones",))])
    assert judge("ask Nurse Jones!", "en", book).masked == "ask [removed]!"
    assert judge("ask Nurse Jones!", "de", book).masked == "ask [entfernt]!"


def test_a_crisis_is_seen_in_whichever_language_it_is_written() -> None:
    rule = Rule("jump", 1, Action.CRISIS, ("into the quarry",), languages=("de",))
    assert judge("I'll go into the quarry", "en", Rulebook([rule])).crisis
    assert judge("quiero morirme", "pl").crisis


def test_the_work_hardly_depends_on_the_number_of_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are counted, not seconds."""
    words = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
    rules = [
        Rule(
            str(at),
            1,
            Action.HOLD,
            (f"{words[at % 700]} {words[at * 7 % 720]} ~ {words[at // 3]}",),
        )
        for at in range(2000)
    ]
    text = "I have been on it for a year, and the tiredness was the worst of it. " * 10
    counts = []
    for book in (Rulebook(), Rulebook(rules)):
        steps = 0

        class Counted(set[Any]):
            def add(self, one: Any) -> None:
                nonlocal steps
                steps += 1
                super().add(one)

        monkeypatch.setattr("community.rules.finding.set", Counted, raising=False)
        judge(text, "en", book)
        counts.append(steps)
    assert 0 < counts[1] < 2 * counts[0] < 60 * len(text)
