"""Whatever is written: the order of rules makes no difference, more rules are never laxer, no
disguise changes a verdict, what is masked stays masked, and a sign of crisis is always one."""

import unicodedata
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.moderation.rule_book import Book
from community.posts.judging import Writing, assess
from community.rules import Action, Rule, Rulebook, State, Verdict, house_rules, judge, judging
from tests.unit.test_judging_corpus import POSTS

STRICTER = list(State)
LANGUAGE = st.sampled_from(["en", "cy", "es", "fr", "de", "pl", "xx"])
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)
"""Surrogates and control characters too."""
ROW = st.sampled_from(POSTS)
CRISES = st.sampled_from([post for post in POSTS if post["crisis"]])
PIECES = [
    "07700 900123", "943 476 5919", "bo@example.org", "SW1A 1AA", "12 High Street", "012", "3", "@",
    "[phone number]", "[removed]", "[", "]", "+44", "x", "red", "door", "oh", "seven", ".", " ",
    "-", "example.org", "flat 3,", "Lane", "double",
]  # fmt: skip
MIXED = st.lists(st.one_of(st.sampled_from(PIECES), st.text("07 @.-a[]", max_size=4)), max_size=14)
WORD = st.sampled_from(
    ["red", "door", "want", "dose", "die", "skip", "week", "you", "should", "phone", "a*", "~", "#",
     "x?", "red/door", "number", "removed", "~ ~"]
)  # fmt: skip
PHRASE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
"""Some say nothing, and break the rule that they are of."""
RULES = st.lists(
    st.builds(
        Rule,
        id=st.sampled_from(["one", "two", "three", "four"]),
        version=st.integers(1, 2),
        action=st.sampled_from(Action),
        phrases=st.lists(PHRASE, max_size=3).map(tuple),
        languages=st.sampled_from([(), ("en",), ("de", "pl")]),
        unless=st.lists(PHRASE, max_size=1).map(tuple),
    ),
    max_size=5,
)
TEXT = st.one_of(
    ROW.map(lambda post: post["text"]),
    MIXED.map(" ".join),
    MIXED.map("".join),
    st.lists(WORD, max_size=12).map(" ".join),
)
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f"
ALIKE = str.maketrans("aeopcxyijsAEOPCXBHKMT", "аеорсхуіјѕАЕОРСХВНКМТ")  # noqa: RUF001


def said(verdict: Verdict) -> tuple[Any, ...]:
    """A verdict without the places, which a disguise moves."""
    hits = {(hit.rule, hit.version, hit.action, hit.note) for hit in verdict.hits}
    return verdict.state, verdict.crisis, verdict.advice, hits


@given(ANY_TEXT, LANGUAGE)
def test_anything_can_be_written(text: str, language: str) -> None:
    verdict = judge(text, language)
    for hit in verdict.hits:
        assert hit.note != "failed"
        assert 0 <= hit.start < hit.end <= len(text)


@pytest.mark.parametrize(
    "piece", ["1 ", "1-", "a@", "(", "l", "0", "07 ", "12 high ", "a at b dot ", "want to "]
)
def test_no_text_takes_long(piece: str) -> None:
    """Seconds of the processor's; what took time by the square needed a quarter of a minute."""
    text = (piece * 20_000)[:20_000]
    before = process_time()
    judge(text, "en")
    assert process_time() - before < 8


@pytest.mark.parametrize("phrase", ["a ~ a ~ a ~ a ~ a", "a ~ a? ~ a? ~ a? ~ a", "a? " * 50 + "a"])
def test_no_rule_takes_long(phrase: str) -> None:
    """The post waits for a person, and what the house's rules say of it counts all the same."""
    rules = Rulebook([Rule("own", 1, Action.HOLD, (phrase,))])
    before = process_time()
    verdict = judge(("a " * 5_000)[:9_970] + " i want to kill myself", "en", rules)
    assert process_time() - before < 8
    assert (verdict.state, verdict.crisis) == (State.PENDING, True)
    assert [hit.rule for hit in verdict.hits if hit.note == "failed"] == ["part.phrases"]


@given(TEXT, LANGUAGE, RULES, st.randoms())
def test_the_order_of_rules_makes_no_difference(
    text: str, language: str, rules: list[Rule], random: Any
) -> None:
    shuffled = random.sample(rules, len(rules))
    assert judge(text, language, Rulebook(rules)) == judge(text, language, Rulebook(shuffled))


@given(TEXT, LANGUAGE, RULES, RULES)
def test_a_rule_more_is_never_laxer(
    text: str, language: str, rules: list[Rule], more: list[Rule]
) -> None:
    before, after = (judge(text, language, Rulebook(some)) for some in (rules, [*rules, *more]))
    assert STRICTER.index(after.state) >= STRICTER.index(before.state)
    assert after.crisis >= before.crisis
    assert after.advice >= before.advice
    hidden = {at for hit in before.hits if hit.action == Action.MASK for at in places(hit)}
    assert hidden <= {at for hit in after.hits if hit.action == Action.MASK for at in places(hit)}


def places(hit: judging.Hit) -> range:
    return range(hit.start, hit.end)


@given(TEXT, LANGUAGE, RULES)
def test_the_new_are_judged_as_the_trusted_are_and_wait(
    text: str, language: str, rules: list[Rule]
) -> None:
    trusted, new = (judge(text, language, Rulebook(rules), trusted=one) for one in (True, False))
    assert new.state == max(trusted.state, State.PENDING, key=STRICTER.index)
    assert said(new)[1:] == said(trusted)[1:]
    assert new.masked == trusted.masked


@given(ROW)
def test_case_and_composition_make_no_difference(post: dict[str, Any]) -> None:
    text, language = post["text"], post["language"]
    expected = said(judge(text, language))
    for other in (
        text.upper(),
        text.lower(),
        text.swapcase(),
        *(unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    ):
        assert said(judge(other, language)) == expected, other


@given(ROW, st.data())
def test_what_cannot_be_seen_makes_no_difference(post: dict[str, Any], data: st.DataObject) -> None:
    text, language = post["text"], post["language"]
    at = data.draw(st.integers(0, len(text)))
    hidden = data.draw(st.text(UNSEEN, min_size=1, max_size=3))
    found = judge(text[:at] + hidden + text[at:], language)
    assert said(found) == said(judge(text, language))


@given(ROW)
def test_look_alikes_make_no_difference(post: dict[str, Any]) -> None:
    text, language = post["text"], post["language"]
    assert said(judge(text.translate(ALIKE), language)) == said(judge(text, language))


def comes_to(text: str, language: str) -> tuple[Any, ...]:
    """What a post comes to, by the function that posting calls, without the places."""
    assessed = assess(Writing("", text, language), Book(0, Rulebook()), trusted=True)
    rules = {(hit.rule, hit.version) for hit in assessed.found}
    return assessed.state, assessed.crisis, assessed.advice, rules, assessed.kinds


@given(ROW, st.data())
def test_no_disguise_changes_what_a_post_comes_to(
    post: dict[str, Any], data: st.DataObject
) -> None:
    text, language = post["text"], post["language"]
    at = data.draw(st.integers(0, len(text)))
    hidden = data.draw(st.text(UNSEEN, min_size=1, max_size=3))
    expected = comes_to(text, language)
    for other in (
        text.upper(),
        unicodedata.normalize("NFKC", text),
        unicodedata.normalize("NFD", text),
        text[:at] + hidden + text[at:],
        text.translate(ALIKE),
    ):
        assert comes_to(other, language) == expected, other


@given(TEXT, LANGUAGE, RULES)
def test_masking_twice_is_masking_once(text: str, language: str, rules: list[Rule]) -> None:
    book = Rulebook(rules)
    once = judge(text, language, book).masked
    assert judge(once, language, book).masked == once


@given(st.sampled_from(PIECES[:5]), st.text("abc,; \n", max_size=20), LANGUAGE)
def test_masked_text_is_nowhere(piece: str, around: str, language: str) -> None:
    masked = judge(f"{around} {piece} {around}", language).masked
    assert piece not in masked
    assert "900123" not in masked


@given(CRISES, TEXT, TEXT, RULES, st.booleans())
def test_a_sign_of_crisis_is_one_whatever_else_is_written(
    post: dict[str, Any], before: str, after: str, rules: list[Rule], trusted: bool
) -> None:
    text = f"{before}\n\n{post['text']}\n\n{after}"
    verdict = judge(text, post["language"], Rulebook(rules), trusted=trusted)
    assert verdict.crisis
    assert verdict.state != State.PUBLISHED


@given(CRISES, st.lists(PHRASE, min_size=1, max_size=2))
def test_a_rule_that_cannot_be_read_holds_and_crisis_is_still_seen(
    post: dict[str, Any], phrases: list[str]
) -> None:
    book = Rulebook([Rule("broken", 3, Action.BLOCK, (*phrases, "~"))])
    for text, crisis in (("hello all", False), (post["text"], True)):
        verdict = judge(text, post["language"], book)
        assert verdict.crisis == crisis
        assert verdict.state != State.PUBLISHED
        assert ("broken", "failed") in {(hit.rule, hit.note) for hit in verdict.hits}


@pytest.mark.parametrize("part", ["crisis", "others", "personal"])
def test_a_part_that_fails_holds_the_post_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    book = Rulebook()
    find = judging.find

    def fail(*args: Any) -> Any:
        if part == "personal" or any(args[1] is tree for tree in getattr(book, part)):
            raise RuntimeError("a fault of ours")
        return find(*args)

    if part == "personal":
        monkeypatch.setattr(judging.personal, "find", fail)
    else:
        monkeypatch.setattr(judging, "find", fail)
    verdict = judge("I want to die, ring 07700 900123", "en", book)
    assert verdict.crisis == (part != "crisis")
    assert verdict.state == State.PENDING
    assert ("[phone number]" in verdict.masked) == (part != "personal")


def test_every_rule_of_the_house_can_be_read() -> None:
    book = Rulebook()
    assert [tree.broken for tree in (*book.crisis, *book.others)] == [[]] * 4
    assert len({rule.id for rule in house_rules()}) == len(house_rules())
