"""A post in plain letters, in a row without what separates them: "k.i-l l" and "kill" are one."""

from bisect import bisect_left
from dataclasses import dataclass

from messaging.letters import fold_char

_SYMBOLS = "@$!|*€"
"""Marks that stand for a letter where they are between others."""
_SENTENCE_ENDS = ".!?…\n"
_HELD = 20
"""Times that a letter held down is kept."""
_REGIONAL = {chr(0x1F1E6 + at): chr(ord("a") + at) for at in range(26)}
"""Letters that flags are written with. In a patient's text they are a flag."""


@dataclass(frozen=True, slots=True)
class Plain:
    """letters[i] was typed as text[at[i]]; it is of word word[i], and words[n] is the place where
    word n begins. The last entry of words is one past the last letter."""

    letters: str
    at: tuple[int, ...]
    word: tuple[int, ...]
    words: tuple[int, ...]
    sentence: tuple[int, ...]
    """The sentence that a word stands in."""

    def starts(self, place: int) -> bool:
        """Whether a word begins with this letter."""
        return self.words[self.word[place]] == place

    def ends(self, place: int) -> bool:
        """Whether a word ends with this letter."""
        return self.words[self.word[place] + 1] == place + 1

    def alone(self, place: int) -> bool:
        """Whether this letter is a word by itself."""
        return self.starts(place) and self.ends(place)

    def words_between(self, first: int, last: int) -> int:
        """How many words begin in letters[first:last]."""
        return bisect_left(self.words, last) - bisect_left(self.words, first)

    def word_text(self, number: int) -> str:
        """A word's letters."""
        return self.letters[self.words[number] : self.words[number + 1]]


def folded(text: str) -> list[tuple[str, int]]:
    """Each plain character of a text, with the place in the text that it was typed at."""
    return [
        (plain, at)
        for at, char in enumerate(text)
        for plain in _REGIONAL.get(char) or fold_char(char)
    ]


def plain(text: str) -> Plain:
    """The letters, figures, and marks in place of letters, of a text."""
    chars = folded(text)
    letters: list[str] = []
    at: list[int] = []
    word: list[int] = []
    words: list[int] = []
    sentences: list[int] = []
    sentence, open_ = 0, False
    for index, (char, place) in enumerate(chars):
        if not (char.isalnum() or _stands_for_a_letter(chars, index)):
            sentence += char in _SENTENCE_ENDS
            open_ = False
            continue
        if not open_:
            words.append(len(letters))
            sentences.append(sentence)
            open_ = True
        elif char.isalpha() and letters[-1] == char and letters[-_HELD:] == [char] * _HELD:
            continue
        letters.append(char)
        at.append(place)
        word.append(len(words) - 1)
    words.append(len(letters))
    return Plain("".join(letters), tuple(at), tuple(word), tuple(words), tuple(sentences))


def _stands_for_a_letter(chars: list[tuple[str, int]], index: int) -> bool:
    char = chars[index][0]
    if char not in _SYMBOLS:
        return False
    before = index > 0 and chars[index - 1][0].isalnum()
    after = index + 1 < len(chars) and chars[index + 1][0].isalnum()
    return after and (before or char in "@$|")
