"""Whatever is typed: `understand` answers, within bounds, and nothing hides an urgent sign."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from messaging.letters import LONGEST
from reminders.understanding import Meaning, Understood, phrases, understand
from tests.unit.test_understanding import ANSWERS, DOSE, LANGUAGES

LANGUAGE = st.sampled_from([*LANGUAGES, "xx"])
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=2000)
"""Surrogates and control characters too."""
ROWS = st.sampled_from(ANSWERS)
URGENT = st.sampled_from([row["text"] for _, row in ANSWERS if row["urgent"]])
UNSEEN = "\u200b\u200d\u2060\ufeff\u00ad"
COURTESY = ["thanks", "please", "x", "thank you", "cheers"]


def said(found: Understood) -> tuple[object, ...]:
    return found.meanings, found.urgent, found.human, found.when, found.effects


@given(ANY_TEXT, LANGUAGE, st.booleans())
def test_anything_can_be_typed(text: str, language: str, digits: bool) -> None:
    found = understand(text, language, digits=digits)
    assert found.human or found.meanings
    assert found.human or not found.urgent
    for match in found.matched:
        assert text[match.start : match.end] == match.text != ""


@given(st.lists(ROWS, min_size=1, max_size=60), LANGUAGE)
def test_the_work_is_bounded_by_the_length_of_the_text(rows: list[object], language: str) -> None:
    """Steps are counted, not seconds: each word costs no more than the phrases that begin with it
    allow, however the words are put together."""
    text = " ".join(row[1]["text"] for row in rows)  # type: ignore[index]
    steps = 0
    plain = phrases._last

    def counted(*args: object) -> object:
        nonlocal steps
        steps += 1
        return plain(*args)  # type: ignore[arg-type]

    phrases._last = counted  # type: ignore[assignment]
    try:
        understand(text, language)
    finally:
        phrases._last = plain
    assert steps <= 2000 * (1 + min(len(text), LONGEST) // 2)


@given(ROWS)
def test_case_and_composition_make_no_difference(row: tuple[str, dict[str, str]]) -> None:
    language, text = row[0], row[1]["text"]
    expected = said(understand(text, language))
    for other in (
        text.upper(),
        text.lower(),
        *(unicodedata.normalize(f, text) for f in ("NFC", "NFD", "NFKC", "NFKD")),
    ):
        assert said(understand(other, language)) == expected, other


@given(ROWS, st.data())
def test_what_cannot_be_seen_makes_no_difference(
    row: tuple[str, dict[str, str]], data: st.DataObject
) -> None:
    language, text = row[0], row[1]["text"]
    at = data.draw(st.integers(0, len(text)))
    hidden = data.draw(st.text(UNSEEN, min_size=1, max_size=3))
    assert said(understand(text[:at] + hidden + text[at:], language)) == said(
        understand(text, language)
    )


@given(ROWS, st.sampled_from(COURTESY))
def test_courtesy_makes_no_difference(row: tuple[str, dict[str, str]], courtesy: str) -> None:
    """Behind a comma. A carrier word is one only when it stands alone."""
    language, text = row[0], row[1]["text"]
    before = understand(text, language)
    if before.meanings in [(Meaning.STOP,), (Meaning.START,), (Meaning.HELP,)]:
        return
    after = understand(f"{text}, {courtesy}", language)
    assert (after.urgent, after.when) == (before.urgent, before.when)
    assert set(after.meanings) == set(before.meanings)


@given(URGENT, LANGUAGE, ANY_TEXT, ANY_TEXT)
def test_nothing_that_is_added_hides_an_urgent_sign(
    text: str, language: str, before: str, behind: str
) -> None:
    """Added with spaces between, within what one text can hold."""
    urgent = set(understand(text, language).urgent)
    room = LONGEST - len(text) - 2
    found = understand(f"{before[:room]} {text} {behind}", language)
    assert urgent <= set(found.urgent)
    assert found.human


@given(URGENT, LANGUAGE, st.lists(ROWS, max_size=5))
def test_no_other_answer_hides_an_urgent_sign(text: str, language: str, rows: list[object]) -> None:
    others = " ".join(row[1]["text"] for row in rows)[:700]  # type: ignore[index]
    urgent = set(understand(text, language).urgent)
    assert urgent <= set(understand(f"{others} {text} {others}", language).urgent)


@given(
    LANGUAGE,
    st.sampled_from(["STOP", "yes", "Cancel", "END", "help", "unstop"]),
    st.text("👍✅💉 .!\n", max_size=5),
)
def test_no_carrier_word_is_an_answer_to_a_dose(language: str, word: str, around: str) -> None:
    for text in (around + word, word + around, around + word + around):
        assert not DOSE & set(understand(text, language, digits=True).meanings)
