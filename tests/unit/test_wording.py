"""The words of our texts, in every language."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from accounts.models import Clinic
from messaging.segments import count_segments
from reminders.models import Language, Patient
from reminders.texts import template_checks, wording

LANGUAGES = [language.value for language in Language]
KINDS = [
    *("day", "next", "overdue", "changed", "resumed", "paused", "stopped"),
    *("correction", "later"),
]
PARTS = {"choice", "elsewhere", "in_emergency"}
ANSWERS = sorted(wording.words("en")["answers"])
TELLING = [
    "inject",
    "interferon",
    "pegasys",
    "inyec",
    "inject",
    "spritz",
    "zastrzyk",
    "pigiad",
    "bigiad",
]


def patient(language: str, style: str = "discreet", number: str = "+447700900123") -> Patient:
    clinic = Clinic(name="St Example", phone="+442079460000")
    return Patient(clinic=clinic, language=language, wording=style, number=number)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_placeholders(language):
    english, book = wording.words("en"), wording.words(language)
    for style in ("discreet", "explicit"):
        assert set(book[style]) == set(KINDS) == set(english[style])
        for kind in KINDS:
            names = placeholders(book[style][kind])
            assert names == placeholders(english[style][kind])
            assert {"clinic", "phone"} <= names, "who it is from, and how to reach them"
    assert placeholders(book["number"]["code"]) == {"clinic", "phone", "code"}
    assert set(book["every"]) == {"week", "weeks", "days"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_discreet_text_does_not_say_what_it_is_about(language, kind):
    body = wording.text(kind, patient(language), date(2027, 9, 29), 21).lower()
    assert not [word for word in TELLING if word in body]
    explicit = wording.text(kind, patient(language, "explicit"), date(2027, 9, 29), 21)
    assert [word for word in TELLING if word in explicit.lower()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_answers(language):
    english, book = wording.words("en")["answers"], wording.words(language)["answers"]
    assert sorted(book) == ANSWERS
    for kind, body in book.items():
        assert placeholders(body) == placeholders(english[kind])
        assert not [word for word in TELLING if word in body.lower()]
        assert kind in PARTS or {"clinic", "phone"} <= placeholders(body)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_english_answer_is_one_segment_within_160_characters(kind):
    facts = dict.fromkeys(("date", "other"), "Wednesday 29 September")
    facts |= {"time": "19:30", "emergency": "999", "crisis": "116 123", "urgent": "020 7946 0111"}
    facts |= {"elsewhere": " Nobody there? Call 020 7946 0111.", "in_emergency": " Emergency: 999."}
    facts |= {
        "dates": "Monday 11 January, Monday 18 January",
        "choices": "1 for A. E., 2 for B. E.",
    }
    body = wording.Said(patient("en")).answer(kind, **facts, n=1, initials="A. E.")
    assert len(body) <= 160
    assert count_segments(body) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_english_text_is_one_segment_within_160_characters(kind):
    body = wording.text(kind, patient("en"), date(2027, 9, 29), 21)
    assert len(body) <= 160
    assert count_segments(body) == 1


ROOT = Path(__file__).parents[2]
# Words that are looked for in what people write, and what is measured: nobody reads them.
NOT_READ = {
    "reminders/understanding/words",
    "community/rules/words",
    "reminders/texts/wording/checks",
}


def folders_read() -> list[str]:
    """Where the words are that patients read, and members, who are patients too: our texts, pages,
    answers, notices, rules and help, a file for each language."""
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for part in ("accounts", "api", "community", "messaging", "reminders", "web")
        for path in (ROOT / part).rglob("en.toml")
    }
    return sorted(found - NOT_READ)


def sentences(book: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """All strings of a file of words, each with its place."""
    if isinstance(book, str):
        yield place, book
    elif isinstance(book, dict | list):
        inner = book.items() if isinstance(book, dict) else enumerate(book)
        for name, part in inner:
            yield from sentences(part, f"{place}.{name}" if place else str(name))


def test_the_words_of_texts_and_pages_are_among_them():
    assert {"reminders/texts/wording", "web/wording", "community/help"} <= {*folders_read()}


@pytest.mark.parametrize("folder", folders_read())
def test_nothing_that_patients_read_has_a_long_sentence(folder):
    files = sorted((ROOT / folder).glob("*.toml"))
    assert [path.stem for path in files] in (sorted(LANGUAGES), ["en"])
    long = {
        f"{path.stem} {place}": words
        for path in files
        for place, said in sentences(tomllib.loads(path.read_text()))
        if (words := template_checks.long_sentence(path.stem, said))
    }
    assert long == {}


@pytest.mark.parametrize(
    "file", ["community/moderation/reasons.toml", "community/posts/spaces.toml"]
)
def test_nor_has_a_file_of_all_languages(file):
    said = [
        (place, place.rpartition(".")[2], words)
        for place, words in sentences(tomllib.loads((ROOT / file).read_text()))
    ]
    assert {language for _, language, _ in said} == set(LANGUAGES)
    long = [
        place for place, language, words in said if template_checks.long_sentence(language, words)
    ]
    assert long == []


def test_dates_and_intervals_are_as_people_write_them():
    day = date(2027, 1, 4)
    assert "Monday 4 January: every week." in wording.text("changed", patient("en"), day, 7)
    assert "lundi 4 janvier" in wording.text("day", patient("fr"), day)
    assert "lunes 4 de enero" in wording.text("day", patient("es"), day)
    assert "Montag, 4. Januar" in wording.text("day", patient("de"), day)
    assert "poniedziałek, 4 stycznia" in wording.text("day", patient("pl"), day)
    assert "dydd Llun 4 Ionawr" in wording.text("day", patient("cy"), day).replace("Dydd", "dydd")
    assert wording.every("en", 10) == "every 10 days"
    assert wording.every("de", 14) == "alle 2 Wochen"


def test_times_are_as_people_write_them_where_they_are():
    half_past_four = datetime(2027, 1, 4, 16, 30, tzinfo=UTC)
    here = patient("en")
    here.time_zone = "Europe/London"
    assert wording.Said(here).time(half_past_four) == "16:30"
    there = patient("en", number="+12125550123")
    there.time_zone = "America/New_York"
    assert wording.Said(there).time(half_past_four).replace("\u202f", " ") == "11:30 AM"


def test_the_number_to_call_is_written_for_where_the_patient_is():
    assert "020 7946 0000" in wording.text("day", patient("en"), date(2027, 1, 4))
    abroad = patient("en", number="+12125550123")
    assert "+44 20 7946 0000" in wording.text("day", abroad, date(2027, 1, 4))
