"""Where the phrases of a tree stand in a post.

The work is bounded: a rule with several gaps, on a post that is made of its own words over and
over, has ways without number. Such a post is for a person (`TooManyWays`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from community.rules.plain import Plain
from community.rules.rulebook import END, GAP, NUMBER, STEM, THEN, Entry, Node, Tree

_GAP = 3
_WHOLE = 6
"""Letters of a phrase that counts however the words are cut: "ki llmy self". Shorter ones count
as written, or letter by letter."""
_NEAR = 6
"""A figure is read as a letter where there is a real one this near."""
_FIGURES = 9
"""Figures in a row, of one word or of several, that are read as one number at most."""
_READINGS = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "il", "€": "e", "i": "l", "l": "i",
}  # fmt: skip
"""What else a character is read as: a capital i is drawn like an l."""
_PASSED = "!|*"
"""Marks that may stand in a word without being of it."""
_ANY = "*"
"""A letter that was starred out."""
_STEPS, _STEPS_A_LETTER = 50_000, 30
"""So many steps at most for a post, and for each letter of it: for the longest about a second's. Of
3,000 posts that were written to be hard none took more than 26 for a letter."""


class TooManyWays(Exception):
    """A post can't be searched in time."""


@dataclass(frozen=True, slots=True)
class Found:
    """letters[first:last] of the post say what the entry's rule looks for. skipped: the numbers of
    the words that its gaps passed over."""

    entry: Entry
    first: int
    last: int
    skipped: tuple[int, ...]


def find(post: Plain, tree: Tree) -> list[Found]:
    """All that stands in a post, in order of place; raises TooManyWays. What exempts is of one
    sentence, and so looked for only in sentences where something was found."""
    found = _within(post, tree.root, post.words[:-1])
    near = {sentence for one in found for sentence in _sentences(post, one)}
    if near:
        starts = zip(post.words, post.sentence, strict=False)
        found |= _within(post, tree.exempting, [word for word, inside in starts if inside in near])
    return sorted(found, key=lambda one: (one.first, one.last, one.entry.rule.id))


def _within(post: Plain, root: Node, starts: Iterable[int]) -> set[Found]:
    found: set[Found] = set()
    left = _STEPS + _STEPS_A_LETTER * len(post.letters)
    for first in starts:
        left -= _add(post, root, first, left, found)
    return found


def _sentences(post: Plain, found: Found) -> range:
    first, last = (post.sentence[post.word[at]] for at in (found.first, found.last - 1))
    return range(first, last + 1)


_Walk = tuple[int, tuple[int, ...], int]
"""On the way: the place reached, the words skipped, and how many words of the phrase are behind.
A bare tuple, for thousands are made for a post."""


def _add(post: Plain, root: Node, first: int, most: int, found: set[Found]) -> int:
    """Add what begins at this letter; answers in how many steps it was found."""
    waiting: list[tuple[Node, _Walk]] = [(root, (first, (), 0))]
    seen: set[tuple[int, _Walk]] = set()
    letters = post.letters
    while waiting:
        node, walk = waiting.pop()
        place, skipped, words = walk
        if (key := (id(node), walk)) in seen:
            continue
        if len(seen) > most:
            raise TooManyWays
        seen.add(key)
        letter = letters[place : place + 1]
        if END in node and _counts(post, first, walk):
            found |= {Found(entry, first, place, skipped) for entry in node[END]}
        for more, then in node.get(THEN, ()):
            waiting.append((then, (place, skipped, words + more)))
        if place > first and (
            STEM in node or GAP in node or letter == letters[place - 1] or letter in _PASSED
        ):
            waiting += _on(post, node, walk)
        if letter:
            if letter in node:
                waiting.append((node[letter], (place + 1, skipped, words)))
            if not letter.isalpha() or (letter in "il" and not post.alone(place)):
                waiting += [(to, (at, skipped, words)) for to, at in _read(post, node, place)]
    return len(seen)


def _on(post: Plain, node: Node, walk: _Walk) -> Iterator[tuple[Node, _Walk]]:
    """On to the end of the word, past words that don't matter, past a letter that is held down."""
    place, skipped, words = walk
    if STEM in node:
        yield node[STEM], (post.words[post.word[place - 1] + 1], skipped, words)
    if GAP in node:
        yield node[GAP], (place, skipped, words)
    if GAP in node and post.ends(place - 1):
        for to, passed in _over(post, post.word[place - 1]):
            yield node[GAP], (to, skipped + passed, words)
    if place < len(post.letters):
        letter = post.letters[place]
        held = letter == post.letters[place - 1] and not post.starts(place)
        if held or letter in _PASSED:
            yield node, (place + 1, skipped, words)


def _read(post: Plain, node: Node, place: int) -> Iterator[tuple[Node, int]]:
    """Where a figure or a mark leads to: as a number, or as the letter that it stands for."""
    letter = post.letters[place]
    if NUMBER in node and post.starts(place):
        first = end = place + (letter in "$€")
        most = min(len(post.letters), first + _FIGURES)
        while end < most and post.letters[end].isdigit():
            end += 1
        if end > first:
            yield node[NUMBER], end
    near = post.letters[max(0, place - _NEAR) : place + _NEAR]
    for other in _READINGS.get(letter, ""):
        if other in node and any(map(str.isalpha, near)):
            yield node[other], place + 1
    if letter == _ANY:
        yield from ((node[other], place + 1) for other in node if len(other) == 1)


def _over(post: Plain, word: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The words that a gap may lead to, of the same sentence, and the numbers of those between."""
    for ahead in range(word + 2, min(word + 2 + _GAP, len(post.words) - 1)):
        if post.sentence[ahead] != post.sentence[word]:
            return
        yield post.words[ahead], tuple(range(word + 1, ahead))


def _counts(post: Plain, first: int, walk: _Walk) -> bool:
    """Whether these letters are the phrase, and not parts of other words or mere figures."""
    place, skipped, words = walk
    if place == first or not post.ends(place - 1):
        return False
    cut = post.words_between(first, place) - len(skipped)
    length = place - first - sum(len(post.word_text(word)) for word in skipped)
    if length < _WHOLE and cut not in {words, length}:
        return False
    span = post.letters[first:place]
    return sum(letter.isalpha() for letter in span) * 3 >= len(span)
