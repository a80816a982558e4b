"""What a rule is, how its phrases are written, and all rules together as one tree of letters.

A phrase is written as items with spaces between: a word; "stem*" for all that begins so; "a/b" for
either; "x?" for one that may be missing; "#" for a number; "~" for up to three words that don't
matter. In the files of words/ "{group}" is any of a group of the file.

The tree is walked from the beginning of each word, so the work for a post depends on its length and
hardly on the number of rules.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, cast

from community.rules.plain import plain

FOLDER = Path(__file__).parent / "words"
STEM, GAP, NUMBER, THEN, END = "stem", "gap", "number", "then", "end"
"""Keys of a node that are no single letter. THEN: the nodes behind the item that ends here, and how
many words it has here; END: the entries that end here."""
SIGNS = {"~": GAP, "#": NUMBER}
_GAP = (("~",),)
_MOST_GAPS = 4

Node = dict[str, Any]


class Action(StrEnum):
    """What a rule asks for."""

    BLOCK = "block"
    HOLD = "hold"
    MASK = "mask"
    CRISIS = "crisis"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Rule:
    """What moderators write. languages: none for all (people don't always write in the language
    that they said); unless: phrases that make a hit which shares words with them no hit."""

    id: str
    version: int
    action: Action
    phrases: tuple[str, ...]
    languages: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    description: str = ""

    def speaks(self, language: str) -> bool:
        """Whether it is for posts in a language. A sign of crisis is for all."""
        return not self.languages or language in self.languages or self.action == Action.CRISIS


@dataclass(frozen=True, slots=True)
class Entry:
    """What a way through the tree ends at."""

    rule: Rule
    exempts: bool


Item = tuple[tuple[str, ...], ...]
"""What may stand at one place of a phrase, each as its words; () where it may be missing."""


@dataclass
class Tree:
    """Rules' phrases by their letters. Phrases with the same beginning share it, and the choices of
    one item lead to one node, so it grows with what is written, not with the ways to say it.
    exempting: the "unless" phrases, walked only where the others find something. broken: rules
    that can't be read, which hold every post."""

    root: Node = field(default_factory=dict)
    exempting: Node = field(default_factory=dict)
    broken: list[Rule] = field(default_factory=list)
    _behind: dict[tuple[int, Item], Node] = field(default_factory=dict)

    def add(self, rule: Rule) -> None:
        """A rule is added whole or not at all."""
        try:
            phrases = [(items_of(phrase), False) for phrase in rule.phrases]
            phrases += [(items_of(phrase), True) for phrase in rule.unless]
        except (ValueError, TypeError, AttributeError):
            self.broken.append(rule)
            return
        for items, exempts in phrases:
            node = self.exempting if exempts else self.root
            for item in items:
                node = self._after(node, item)
            node.setdefault(END, {})[Entry(rule, exempts)] = None

    def _after(self, node: Node, item: Item) -> Node:
        """The node behind an item that is looked for from this node on."""
        key = (id(node), item)
        if key not in self._behind:
            then = self._behind[key] = {}
            for words in item:
                leaf = node
                for word in words:
                    leaf = _leaf(leaf, word)
                leaf.setdefault(THEN, []).append((len(words) - words.count("~"), then))
        return self._behind[key]


def _leaf(node: Node, word: str) -> Node:
    if word in SIGNS:
        return cast(Node, node.setdefault(SIGNS[word], {}))
    for letter in word.rstrip("*"):
        node = node.setdefault(letter, {})
    return cast(Node, node.setdefault(STEM, {})) if word.endswith("*") else node


def items_of(phrase: str) -> list[Item]:
    """A phrase's items. ValueError: it says nothing, or has too many gaps."""
    items = [_choices(item) for item in phrase.split()]
    while items and items[-1] == _GAP:
        items.pop()
    while items and items[0] == _GAP:
        items.pop(0)
    if not any(() not in item and item != _GAP for item in items):
        raise ValueError("a phrase without a word that has to be there")
    if items.count(_GAP) > _MOST_GAPS:
        raise ValueError("a phrase with too many gaps")
    return items


@cache
def _choices(item: str) -> Item:
    found = {_words(part): None for part in item.rstrip("?").split("/")}
    return ((), *found) if item.endswith("?") else tuple(found)


@cache
def _words(item: str) -> tuple[str, ...]:
    """One item's words in plain letters: "don't" is two."""
    if item in SIGNS:
        return (item,)
    bare = plain(item.rstrip("*"))
    words = [bare.word_text(number) for number in range(len(bare.words) - 1)]
    if not words:
        raise ValueError(f"no letters in {item!r}")
    return (*words[:-1], words[-1] + "*" * item.endswith("*"))


@dataclass
class Cues:
    """Words of all languages that say how something is meant; labels for what is masked. calling:
    before a phone number; figures: before results and other numbers that are nobody's."""

    negations: frozenset[str]
    breaks: frozenset[str]
    calling: frozenset[str]
    figures: frozenset[str]
    labels: dict[str, dict[str, str]]
    digits: dict[str, str]


class Rulebook:
    """The rules that come with the software, and those that moderators have switched on. Made
    once, asked often. In which order they are given makes no difference."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        crisis, others = _trees(rules)
        self.crisis, self.others = (_house()[0], crisis), (_house()[1], others)


def _trees(rules: Iterable[Rule]) -> tuple[Tree, Tree]:
    """Those that mark a crisis, and the others."""
    crisis, others = Tree(), Tree()
    for rule in rules:
        (crisis if rule.action == Action.CRISIS else others).add(rule)
    return crisis, others


@cache
def _house() -> tuple[Tree, Tree]:
    return _trees(house_rules())


@cache
def house_rules() -> tuple[Rule, ...]:
    """The rules in words/*.toml, with their groups put in."""
    return tuple(
        Rule(
            id=f"{row['id']}.{path.stem}",
            version=row["version"],
            action=Action(row["action"]),
            phrases=tuple(_written(row["phrases"], data.get("groups", {}))),
            unless=tuple(_written(row.get("unless", ""), data.get("groups", {}))),
            description=row["description"],
        )
        for path in sorted(FOLDER.glob("*.toml"))
        for data in [_read(path)]
        for row in data["rule"]
    )


def _written(text: str, groups: dict[str, str]) -> Iterator[str]:
    for line in text.replace("\n", ",").split(","):
        phrase = line.strip()
        for name, words in groups.items():
            phrase = phrase.replace(f"{{{name}}}", "/".join(words.split()))
        if phrase:
            yield phrase


@cache
def cues() -> Cues:
    """The cues of all languages together."""
    files = {path.stem: _read(path)["cues"] for path in FOLDER.glob("*.toml")}
    return Cues(
        negations=_plain_words(file["negations"] for file in files.values()),
        breaks=_plain_words(file["breaks"] for file in files.values()),
        calling=_plain_words(file["calling"] for file in files.values()),
        figures=_plain_words(file["figures"] for file in files.values()),
        labels={language: file["labels"] for language, file in files.items()},
        digits={
            word: figure
            for file in files.values()
            for figure, words in file["digits"].items()
            for word in _plain_words([words])
        },
    )


def _plain_words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(word).letters for text in texts for word in text.split())


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
