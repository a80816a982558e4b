"""Where the phrases of a tree stand in a post."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from community.rules.plain import Plain
from community.rules.rulebook import END, GAP, NUMBER, STEM, THEN, Entry, Node, Tree

_GAP = 3
_WHOLE = 6
"""Letters of a phrase that counts however the words are cut: "ki llmy self". Shorter ones count
as written, or letter by letter."""
_READINGS = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "il", "€": "e",
}  # fmt: skip
_ANY = "*"
"""A letter that was starred out."""


@dataclass(frozen=True, slots=True)
class Found:
    """letters[first:last] of the post say what the entry's rule looks for. skipped: the numbers of
    the words that its gaps passed over."""

    entry: Entry
    first: int
    last: int
    skipped: tuple[int, ...]


def find(post: Plain, tree: Tree) -> list[Found]:
    """All that stands in a post, in order of place."""
    found = {one for first in post.words[:-1] for one in _from(post, tree.root, first)}
    return sorted(found, key=lambda one: (one.first, one.last, one.entry.rule.id))


@dataclass(frozen=True, slots=True)
class _Walk:
    """On the way: the letters so far lead to this node. words: of the phrase."""

    place: int
    skipped: tuple[int, ...] = ()
    words: int = 0


def _from(post: Plain, root: Node, first: int) -> Iterator[Found]:
    """What begins at this letter."""
    waiting = [(root, _Walk(first))]
    seen = set()
    while waiting:
        node, walk = waiting.pop()
        key = (id(node), walk)
        if key in seen:
            continue
        seen.add(key)
        if END in node and _counts(post, first, walk):
            for entry in node[END]:
                yield Found(entry, first, walk.place, walk.skipped)
        waiting += [(then, replace(walk, words=walk.words + n)) for n, then in node.get(THEN, ())]
        if walk.place > first:
            waiting += _on(post, node, walk)
        if walk.place < len(post.letters):
            waiting += [(to, replace(walk, place=at)) for to, at in _read(post, node, walk.place)]


def _on(post: Plain, node: Node, walk: _Walk) -> Iterator[tuple[Node, _Walk]]:
    """On to the end of the word, past words that don't matter, past a letter that is held down."""
    word = post.word[walk.place - 1]
    if STEM in node:
        yield node[STEM], replace(walk, place=post.words[word + 1])
    if GAP in node and post.ends(walk.place - 1):
        for to, passed in _over(post, word):
            yield node[GAP], replace(walk, place=to, skipped=walk.skipped + passed)
    if walk.place < len(post.letters):
        letter = post.letters[walk.place]
        if letter == post.letters[walk.place - 1] or letter in "!|*":
            yield node, replace(walk, place=walk.place + 1)


def _read(post: Plain, node: Node, place: int) -> Iterator[tuple[Node, int]]:
    """Where one letter leads to, however it is written."""
    letter = post.letters[place]
    if NUMBER in node and letter.isdigit() and post.starts(place):
        end = place + 1
        while end < len(post.letters) and post.letters[end].isdigit():
            end += 1
        yield node[NUMBER], end
    for other in letter + _READINGS.get(letter, ""):
        if other in node:
            yield node[other], place + 1
    if letter == _ANY:
        yield from ((node[other], place + 1) for other in node if len(other) == 1)


def _over(post: Plain, word: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The words that a gap may lead to, of the same sentence, and the numbers of those between."""
    for ahead in range(word + 1, min(word + 2 + _GAP, len(post.words) - 1)):
        if post.sentence[ahead] != post.sentence[word]:
            return
        yield post.words[ahead], tuple(range(word + 1, ahead))


def _counts(post: Plain, first: int, walk: _Walk) -> bool:
    """Whether these letters are the phrase, and not parts of other words or mere figures."""
    if walk.place == first or not post.ends(walk.place - 1):
        return False
    cut = post.words_between(first, walk.place) - len(walk.skipped)
    passed = sum(len(post.word_text(word)) for word in walk.skipped)
    length = walk.place - first - passed
    if length < _WHOLE and cut not in {walk.words, length}:
        return False
    span = post.letters[first : walk.place]
    return sum(letter.isalpha() for letter in span) * 3 >= len(span)
