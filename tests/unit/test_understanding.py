"""What texts say, by a table of real-looking answers in every language (tests/corpus)."""

import tomllib
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from messaging.vocabulary import CarrierWord
from reminders.understanding import Effect, Meaning, Part, Sign, Understood, When, understand
from reminders.understanding.words import book

CORPUS = Path(__file__).parent.parent / "corpus"
LANGUAGES = ["cy", "de", "en", "es", "fr", "pl"]
CARRIERS = {
    Meaning.STOP: "STOP UNSUBSCRIBE END QUIT STOPALL REVOKE OPTOUT CANCEL",
    Meaning.START: "START YES UNSTOP",
    Meaning.HELP: "HELP INFO",
}
DOSE = {Meaning.TAKEN, Meaning.SKIP, Meaning.LATER}


def corpus() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.stem, row)
        for path in sorted(CORPUS.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["answers"]
    ]


ANSWERS = corpus()


@pytest.mark.parametrize(
    ("language", "row"), ANSWERS, ids=[f"{language}-{row['text']}" for language, row in ANSWERS]
)
def test_an_answer_says_what_the_corpus_says_it_does(language: str, row: dict[str, Any]) -> None:
    found = understand(row["text"], language)
    assert set(found.meanings) == set(row["meanings"]), (row["reason"], found.matched)
    assert set(found.urgent) == set(row["urgent"]), (row["reason"], found.matched)
    assert found.human == row["human"], (row["reason"], found.matched)


def test_the_corpus_is_as_large_and_as_hard_as_was_agreed() -> None:
    assert len(ANSWERS) >= 450
    for language in LANGUAGES:
        assert sum(one == language for one, _ in ANSWERS) >= 55
    assert sum(row["hard"] for _, row in ANSWERS) * 3 >= len(ANSWERS)
    assert len({(language, row["text"]) for language, row in ANSWERS}) == len(ANSWERS)


def test_every_urgent_answer_reaches_a_person_whoever_wrote_it() -> None:
    """A sign is found whatever the patient's language is, and never without a person."""
    urgent = [row for _, row in ANSWERS if row["urgent"]]
    assert {sign for row in urgent for sign in row["urgent"]} == set(Sign)
    for row in urgent:
        for language in LANGUAGES:
            found = understand(row["text"], language)
            assert set(row["urgent"]) <= set(found.urgent), (row["text"], language)
            assert found.human, (row["text"], language)


@pytest.mark.parametrize("language", [*LANGUAGES, "xx", ""])
@pytest.mark.parametrize(
    "around",
    ["{}", "{}.", " {}!!", "({})", "{} 👍", "✅{}✅", "“{}”", "*{}*", "\u200b{}\ufeff", "{}\n"],
)
def test_a_carrier_word_is_never_an_answer_to_a_dose(language: str, around: str) -> None:
    for meaning, words in CARRIERS.items():
        for word in words.split():
            for text in (word, word.lower(), word.title(), " ".join(word)):
                found = understand(around.format(text), language, digits=True)
                assert not DOSE & set(found.meanings), (text, around)
                assert found.meanings == (meaning,), (text, around)


def test_the_carrier_words_are_those_of_messaging() -> None:
    assert {meaning.value for meaning in CARRIERS} == {word.value for word in CarrierWord}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", Meaning.TAKEN), ("1.", Meaning.TAKEN), ("1️⃣", Meaning.TAKEN),
        (" 1 thanks", Meaning.TAKEN), ("one", Meaning.TAKEN),
        ("2", Meaning.LATER), ("3!", Meaning.SKIP),
    ],
)  # fmt: skip
def test_digits_are_shortcuts_only_where_they_were_offered(text: str, meaning: Meaning) -> None:
    offered, not_offered = understand(text, "en", digits=True), understand(text, "en")
    assert (offered.meanings, offered.human) == ((meaning,), False)
    assert (not_offered.meanings, not_offered.human) == ((), True)


@pytest.mark.parametrize("text", ["11", "12", "0", "4", "1 2", "1 or 2", "13", "1?", "-"])
def test_other_figures_are_no_shortcuts(text: str) -> None:
    found = understand(text, "en", digits=True)
    assert found.human
    assert Meaning.TAKEN not in found.meanings or text == "1?"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("1 week", "en"), ("one day", "en"), ("day 1", "en"), ("2 weeks", "en"),
        ("ive got 1 question", "en"), ("une semaine", "fr"), ("dans une petite heure", "fr"),
        ("jeden dzien", "pl"), ("eine woche", "de"), ("una semana", "es"), ("1 wythnos", "cy"),
    ],
)  # fmt: skip
def test_a_number_of_something_is_no_dose(text: str, language: str) -> None:
    assert Meaning.TAKEN not in understand(text, language, digits=True).meanings


@pytest.mark.parametrize(
    ("text", "language", "dose"),
    [
        ("ya du pus là où j'ai piqué", "fr", Meaning.TAKEN),
        ("one moment my husband fell", "en", Meaning.LATER),
        ("got a bruise size of a saucer", "en", Meaning.SKIP),
    ],
)
def test_another_languages_word_does_not_answer_for_a_dose(
    text: str, language: str, dose: Meaning
) -> None:
    assert dose not in understand(text, language).meanings


@pytest.mark.parametrize(
    "text",
    [
        "killmyself",
        "i wannadie",
        "k i l l m y s e l f",
        "betteroffdead",
        "k\u200bi\u200bl\u200bl myself",
    ],
)
def test_a_cry_for_help_is_heard_however_it_is_spaced(text: str) -> None:
    assert Sign.SELF_HARM in understand(text, "en").urgent


NINE = time(9)


@pytest.mark.parametrize(
    ("text", "language", "when"),
    [
        ("I took it yesterday at 9", "en", When(days=-1, clock=NINE, either_half=True)),
        ("done this morning", "en", When(days=0, part=Part.MORNING)),
        ("took it at 9 last night", "en", When(days=-1, part=Part.NIGHT, clock=time(21))),
        ("did it monday", "en", When(weekday=0)),
        ("done an hour ago", "en", When(minutes=-60)),
        ("done at 9.15am", "en", When(clock=time(9, 15))),
        ("done thanks", "en", None),
        ("in 2 hours", "en", When(minutes=120)),
        ("in half an hour", "en", When(minutes=30)),
        ("tonight", "en", When(days=0, part=Part.EVENING)),
        ("will do it at 7pm", "en", When(clock=time(19))),
        ("tomorrow", "en", When(days=1)),
        ("later, half nine", "en", When(clock=time(9, 30), either_half=True)),
        ("gestern um halb 9 gespritzt", "de", When(days=-1, clock=time(8, 30), either_half=True)),
        ("Spritze gesetzt um 20 Uhr", "de", When(clock=time(20))),
        ("je l'ai faite hier à 21h30", "fr", When(days=-1, clock=time(21, 30))),
        ("dans 2 heures", "fr", When(minutes=120)),
        ("demain matin", "fr", When(days=1, part=Part.MORNING)),
        ("me la puse ayer a las 9", "es", When(days=-1, clock=NINE, either_half=True)),
        ("mañana a las 9 de la mañana", "es", When(days=1, clock=NINE)),
        ("wzięłam wczoraj o 9", "pl", When(days=-1, clock=NINE, either_half=True)),
        ("za pół godziny", "pl", When(minutes=30)),
        ("will do it at ten past six", "en", When(clock=time(6, 10), either_half=True)),
        ("doing it at quarter to nine", "en", When(clock=time(8, 45), either_half=True)),
        ("um viertel nach sieben", "de", When(clock=time(7, 15), either_half=True)),
        ("a las diez menos diez", "es", When(clock=time(9, 50), either_half=True)),
        ("am chwarter wedi saith", "cy", When(clock=time(7, 15), either_half=True)),
        ("je la fais à 8 h 15", "fr", When(clock=time(8, 15))),
        ("mewn 2 awr", "cy", When(minutes=120)),
        ("nes i o bore ma", "cy", When(days=0, part=Part.MORNING)),
    ],
)  # fmt: skip
def test_the_time_is_the_patients_own_words(text: str, language: str, when: When | None) -> None:
    assert understand(text, language).when == when


@pytest.mark.parametrize(
    "text", ["done tomorrow", "will do it on friday", "do it next week", "took 180"]
)
def test_an_odd_time_or_number_is_for_a_person(text: str) -> None:
    assert understand(text, "en").human


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("blood test tomorrow at 9", "en"), ("my platelets are low again", "en"),
        ("prise de sang demain", "fr"), ("mañana tengo análisis de sangre", "es"),
        ("morgen Blut abnehmen", "de"), ("jutro badanie krwi", "pl"), ("prawf gwaed fory", "cy"),
        ("my cancer nurse", "en"), ("ein Glas Wein", "de"), ("Spritze fehlgeschlagen", "de"),
        ("stylo vide", "fr"), ("lavé la ropa", "es"),
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_sign_is_none(text: str, language: str) -> None:
    found = understand(text, language)
    assert found.urgent == ()
    assert not {Meaning.STOP, *DOSE} & set(found.meanings)


@pytest.mark.parametrize(
    ("text", "language"),
    [("bórrenme de su lista", "es"), ("zzyzx done", "en"), ("quux fertig", "de")],
)
def test_a_done_beside_a_word_that_nothing_is_known_of_is_for_a_person(
    text: str, language: str
) -> None:
    found = understand(text, language)
    assert found.human or Meaning.TAKEN not in found.meanings


def test_a_sign_beside_what_only_sounds_like_one_is_a_sign() -> None:
    assert Sign.BLEEDING in understand("blood test done, blood in my stool", "en").urgent
    assert Sign.BLEEDING in understand("prise de sang ok mais sang dans les selles", "fr").urgent


def test_a_denied_sign_is_noted_as_denied_and_stays_urgent() -> None:
    found = understand("No fever but chest pain", "en")
    assert found.urgent == (Sign.FEVER, Sign.CHEST_PAIN)
    assert denied(found) == {"urgent.fever"}
    assert Effect.FLU_LIKE not in found.effects


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("keine schmerzen in der brust", "de"), ("no me duele el pecho", "es"),
        ("nie boli mnie w klatce", "pl"), ("no pain in my chest", "en"),
    ],
)  # fmt: skip
def test_a_harmless_phrase_does_not_hide_that_a_sign_is_denied(text: str, language: str) -> None:
    found = understand(text, language)
    assert found.urgent == (Sign.CHEST_PAIN,)
    assert denied(found) == {"urgent.chest_pain"}
    assert found.human


def denied(found: Understood) -> set[str]:
    return {match.what for match in found.matched if match.negated}


def test_a_match_says_where_it_stands_in_the_text_as_typed() -> None:
    text = "Hi 👋🏽 got a f e v e r today"
    [match] = [
        m for m in understand(text, "en").matched if m.what == "urgent.fever" and m.language == "en"
    ]
    assert text[match.start : match.end] == match.text == "f e v e r"


@pytest.mark.parametrize("effect", list(Effect))
def test_each_effect_of_the_diary_can_be_said_in_each_language(effect: Effect) -> None:
    kinds = {
        (phrase.language, phrase.kind) for starts in book().starts.values() for phrase, _ in starts
    }
    assert {language for language, kind in kinds if kind == f"effect.{effect}"} >= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_words_for_all_that_another_has(language: str) -> None:
    kinds: dict[str, set[str]] = {}
    for starts in book().starts.values():
        for phrase, _ in starts:
            kinds.setdefault(phrase.language, set()).add(phrase.kind)
    assert kinds[language] == kinds["en"]
    assert book().numbers[language]


@pytest.mark.parametrize("text", ["🅵🅴🆅🅴🆁", "🅕🅔🅥🅔🅡 since Monday", "ᖴEᐯEᖇ", "ＦＥＶＥＲ"])  # noqa: RUF001
def test_letters_that_are_drawn_as_pictures_are_read(text: str) -> None:
    assert [sign.value for sign in understand(text, "en").urgent] == ["fever"]
