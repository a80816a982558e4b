"""One text through the rules: seen or not, whether somebody is in danger, what is masked."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial

from community.rules import personal
from community.rules.finding import Found, find
from community.rules.plain import Plain, plain
from community.rules.rulebook import Action, Rule, Rulebook, Tree, cues

log = logging.getLogger(__name__)
_REACH = 3
"""Words by which a "not" may stand before what it denies."""
_QUOTED = re.compile(
    '"[^"\n]{1,600}"|“[^”\n]{1,600}”|„[^“”\n]{1,600}[“”]|«[^»\n]{1,600}»|»[^«\n]{1,600}«'
    "|(?<!\\w)['‘][^'’\n]{1,300}['’](?!\\w)|^ {0,3}>[^\n]*",  # noqa: RUF001
    re.MULTILINE,
)


class State(StrEnum):
    """What becomes of a post, from lax to strict."""

    PUBLISHED = "published"
    PENDING = "pending"
    BLOCKED = "blocked"


_STRICTNESS = list(State)
_STATES = {Action.BLOCK: State.BLOCKED, Action.HOLD: State.PENDING, Action.CRISIS: State.PENDING}
"""What an action makes of a post; a person reads one with a sign of crisis before others do."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that text[start:end] meets. note: "negated", "quoted", both with a space between; or
    "failed": the rule could not be asked, and holds the post."""

    rule: str
    version: int
    action: Action
    start: int
    end: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules make of a text. masked: the text with personal data replaced, the only form
    that is to be stored; advice: it tells others what to do with their dose."""

    state: State
    crisis: bool
    advice: bool
    masked: str
    hits: tuple[Hit, ...]


def judge(
    text: str, language: str, rules: Rulebook | None = None, *, trusted: bool = True
) -> Verdict:
    """Judges a text. language: "en", "cy", ...; rules: the house's alone if none are given;
    trusted: False for a member whose posts wait for a person. Never raises: what fails holds the
    post, and the signs of crisis are looked for by themselves."""
    book = rules or _house_book()
    post = plain(text)
    hits = [
        *_of_each("crisis", book.crisis, text, post, language),
        *_of_each("phrases", book.others, text, post, language),
        *_asked("personal", lambda: _personal(text, language)),
    ]
    states = [State.PUBLISHED if trusted else State.PENDING, *map(_state, hits)]
    return Verdict(
        state=max(states, key=_STRICTNESS.index),
        crisis=any(hit.action == Action.CRISIS for hit in hits),
        advice=any(hit.action == Action.ADVICE and "negated" not in hit.note for hit in hits),
        masked=_masked(text, language, book, hits),
        hits=tuple(_longest(hits)),
    )


def asking(rule: Rule) -> Callable[[str, str], list[Hit]]:
    """What asks a text, in a language, for the hits of this one rule alone, as judging would find
    them: to try a rule against past posts. ValueError: the rule can't be read."""
    tree = Tree()
    tree.add(rule)
    if tree.broken:
        raise ValueError("a rule that can't be read")
    return lambda text, language: list(_hits(text, plain(text), tree, language))


def _longest(hits: list[Hit]) -> list[Hit]:
    """The hits in order of place, without those that the same rule has a wider one for."""
    widest: dict[tuple[str, int, Action, str], int] = {}
    kept = []
    for hit in sorted(set(hits), key=lambda hit: (hit.start, -hit.end, hit.rule, hit.version)):
        key = (hit.rule, hit.version, hit.action, hit.note)
        if hit.note == "failed" or hit.end > widest.get(key, -1):
            widest[key] = hit.end
            kept.append(hit)
    return kept


@cache
def _house_book() -> Rulebook:
    return Rulebook()


def _asked(name: str, ask: Callable[[], Iterable[Hit]]) -> list[Hit]:
    """The hits of one part, or one that holds the post where the part fails."""
    try:
        return list(ask())
    except Exception:
        log.exception("The rules of part %s failed; the post is held.", name)
        return [Hit(f"part.{name}", 0, Action.HOLD, 0, 0, "failed")]


def _state(hit: Hit) -> State:
    """A person looks at what is quoted and would be blocked: often it is what somebody bore."""
    if hit.note == "failed" or (hit.action == Action.BLOCK and "quoted" in hit.note):
        return State.PENDING
    return _STATES.get(hit.action, State.PUBLISHED)


def _of_each(name: str, trees: Iterable[Tree], text: str, post: Plain, language: str) -> list[Hit]:
    """The hits of each tree by itself: where moderators' rules fail, the house's count."""
    return [
        hit for tree in trees for hit in _asked(name, partial(_hits, text, post, tree, language))
    ]


def _hits(text: str, post: Plain, tree: Tree, language: str) -> Iterator[Hit]:
    """What the phrases of a tree find, and its rules that can't be read."""
    for rule in tree.broken:
        yield Hit(rule.id, rule.version, Action.HOLD, 0, 0, "failed")
    found = [one for one in find(post, tree) if one.entry.rule.speaks(language)]
    exempt: dict[Rule, list[Found]] = {}
    for one in found:
        if one.entry.exempts and _in_one_sentence(post, one):
            exempt.setdefault(one.entry.rule, []).append(one)
    quoted = [one.span() for one in _QUOTED.finditer(text)] if found else []
    for one in found:
        rule = one.entry.rule
        others = exempt.get(rule, ())
        if one.entry.exempts or any(
            other.first < one.last and one.first < other.last for other in others
        ):
            continue
        start, end = post.at[one.first], post.at[one.last - 1] + 1
        notes = ["negated"] * _is_negated(post, one) + ["quoted"] * any(
            first <= start and end <= last for first, last in quoted
        )
        yield Hit(rule.id, rule.version, rule.action, start, end, " ".join(notes))


def _in_one_sentence(post: Plain, found: Found) -> bool:
    """Not "suicidal. Phone" for an exempted "suicidal phone"."""
    return post.sentence[post.word[found.first]] == post.sentence[post.word[found.last - 1]]


def _is_negated(post: Plain, found: Found) -> bool:
    """Whether a "not" stands within it, where the phrase has none, or shortly before it."""
    negations, breaks = cues().negations, cues().breaks
    if any(_word(post, number) in negations for number in found.skipped):
        return True
    here = post.word[found.first]
    for number in range(here - 1, max(here - 1 - _REACH, -1), -1):
        word = _word(post, number)
        if word in breaks or post.sentence[number] != post.sentence[here]:
            return False
        if word in negations:
            return True
    return False


def _word(post: Plain, number: int) -> str:
    """A word, which for the "t" of "don't" begins at "don"."""
    word = post.word_text(number)
    return post.word_text(number - 1) + word if word == "t" and number else word


def _personal(text: str, language: str) -> Iterator[Hit]:
    for one in personal.find(_without_labels(text), language):
        action = Action.HOLD if one.kind == "link" else Action.MASK
        rule = one.kind if one.kind == "link" else f"personal.{one.kind}"
        yield Hit(rule, 1, action, one.start, one.end)


# Masking


def _masked(text: str, language: str, book: Rulebook, hits: list[Hit]) -> str:
    """Masks until nothing is left to mask, so that masking twice is masking once: what stood
    beside something masked may only now stand alone."""
    while True:
        labelled = [one.span() for one in _labels().finditer(text)]
        spans = [
            hit
            for hit in hits
            if hit.action == Action.MASK
            and hit.note != "failed"
            and not any(first < hit.end and hit.start < last for first, last in labelled)
        ]
        if not spans:
            return text
        text = _replaced(text, language, spans)
        post = plain(text)
        hits = [
            *_of_each("phrases", book.others, text, post, language),
            *_asked("personal", lambda: _personal(text, language)),  # noqa: B023
        ]


def _replaced(text: str, language: str, spans: list[Hit]) -> str:
    """The text with each run of spans that share characters replaced by one label."""
    parts: list[str] = []
    end = 0
    for hit in sorted(spans, key=lambda hit: (hit.start, -hit.end, hit.rule)):
        if hit.start < end:
            end = max(end, hit.end)
            continue
        parts.append(text[end : hit.start])
        parts.append(_label(hit.rule, language))
        end = hit.end
    return "".join([*parts, text[end:]])


def _label(rule: str, language: str) -> str:
    labels = cues().labels
    words = labels.get(language, labels["en"])
    return f"[{words.get(rule.removeprefix('personal.'), words['other'])}]"


@cache
def _labels() -> re.Pattern[str]:
    words = {word for labels in cues().labels.values() for word in labels.values()}
    return re.compile("|".join(re.escape(f"[{word}]") for word in sorted(words)))


def _without_labels(text: str) -> str:
    """The text with what stands for masked data cut off from its neighbours, as long as before."""
    return _labels().sub(lambda found: "\n" * len(found[0]), text)
