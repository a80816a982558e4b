"""From a text as typed to plain tokens: case, accents, look-alikes, marks that can't be seen.

Each character is folded by itself, so that every token knows its place in the text, and a text
folds the same however its accents are composed. Knows no language.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

LONGEST = 1600
"""Characters looked at: the most that Twilio hands on in one text."""

_CLOCK = re.compile(r"^(\d{1,2})[h.,](\d\d)\b")
_APOSTROPHES = "'’‘ʼ´`′＇‛"  # noqa: RUF001
_LOOKALIKES = str.maketrans(
    # Cyrillic, Greek and others that are drawn as a Latin letter, and letters that NFKD keeps.
    "авекмнорстухіјѕԁԛԝһɡցոօαβεικνοπρστυχωγηłøđıɑəɩᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢᎪᏟᎠᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᏔᏃӏѵ"
    "ᗩᗷᑕᗪᗴᖴᕼᒍᒪᗰᑎᑭᖇᔕᑌᐯᗯ",
    "abekmhopctyxijsdqwhggnoabeiknonpstuxwynlodiaeiabcdefghijklmnoprstuvwyzacdehjklmpstvwzlv"
    "abcdefhjlmnprsuvw",
)
# White on black, in circles and in squares: pictures to Unicode, letters to who reads them.
_LOOKALIKES |= {
    first + place: ord(letter)
    for first in (0x1F150, 0x1F170)
    for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
}
_BLANKS = "\u115f\u1160\u2800"
"""Letters and pictures of nothing at all."""
_LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss", "ẞ": "ss"}
_DETERMINED_LEET = str.maketrans("0134578@$", "oieastbas")
_LEET_L = str.maketrans("0134578@$", "oleastbas")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a picture. text: folded; body[start:end] is what was typed. clause and
    sentence: the number of the one it stands in."""

    text: str
    start: int
    end: int
    clause: int
    sentence: int


def _fold(char: str) -> str:
    """The plain letters of one character; " " for what separates, "" for what can't be seen."""
    if char in _APOSTROPHES:
        return "'"
    folded = ""
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold()):
        kind = unicodedata.category(part)
        if kind in {"Mn", "Me", "Cf", "Sk", "Lm"}:
            continue
        blank = part in _BLANKS or (kind[0] in "CZ" and part != "\n")
        folded += " " if blank else _LIGATURES.get(part, part)
    return folded.translate(_LOOKALIKES)


fold_char = cache(_fold)


def fold(text: str) -> str:
    """A text in plain letters."""
    return "".join(map(fold_char, text))


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing at all of a text."""
    return all(
        unicodedata.category(char)[0] in "CMZ" or unicodedata.normalize("NFKC", char) in _BLANKS
        for char in text
    )


def _is_word(char: str) -> bool:
    return char.isalnum() or char in "@$"


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, in order, of its first LONGEST characters."""
    chars = [(plain, at) for at, char in enumerate(text[:LONGEST]) for plain in fold_char(char)]
    found: list[Token] = []
    clause = sentence = at = 0
    while at < len(chars):
        char = chars[at][0]
        if _is_word(char):
            end = _end_of_word(chars, at)
            word = "".join(plain for plain, _ in chars[at:end])
            word = _CLOCK.sub(r"\1:\2", word)
            for first, last in _pieces(word):
                piece = word[first:last].replace("'", "")
                start, stop = chars[at + first][1], chars[at + last - 1][1] + 1
                found.append(Token(piece, start, stop, clause, sentence))
            at = end
            continue
        if unicodedata.category(char) == "So":
            found.append(Token(char, chars[at][1], chars[at][1] + 1, clause, sentence))
        elif _breaks(chars, at):
            clause += 1
            sentence += char in ".!?;\n…"
        at += 1
    return found


def _end_of_word(chars: list[tuple[str, int]], at: int) -> int:
    """Where the word that begins here ends. "n't" belongs to it, and so do the minutes of 9:30."""
    end = at
    while end < len(chars) and _is_word(chars[end][0]):
        end += 1
    rest = "".join(plain for plain, _ in chars[end : end + 4])
    if rest[:2] == "'t" and chars[end - 1][0] == "n" and not rest[2:3].isalnum():
        return end + 2
    word = "".join(plain for plain, _ in chars[at:end])
    minutes = rest[:1] in {".", ":", ","} and rest[1:3].isdigit() and not rest[3:4].isdigit()
    if word.isdigit() and len(word) < 3 and minutes and len(rest) > 2:
        end += 3
        while end < len(chars) and chars[end][0].isalpha():
            end += 1
    return end


def _pieces(word: str) -> list[tuple[int, int]]:
    """ "9am" is a number and a word; "t00k" and "l8r" are words."""
    figures = len(word) - len(word.lstrip("0123456789.:,"))
    if 0 < figures < len(word):
        return [(0, figures), (figures, len(word))]
    return [(0, len(word))]


def _breaks(chars: list[tuple[str, int]], at: int) -> bool:
    """Whether this mark ends a clause: not the dots of "a.m.", nor the hyphen of "opt-out"."""
    char = chars[at][0]
    after = chars[at + 1][0] if at + 1 < len(chars) else " "
    if char == ".":
        lone = at > 0 and (at < 2 or not _is_word(chars[at - 2][0]))
        return not (lone and _is_word(after)) or not lone
    if char in "-–—":  # noqa: RUF001
        return after == " " and at > 0 and chars[at - 1][0] == " "
    return char in ',;:!?\n()…/"'


def respelt(word: str) -> list[str]:
    """Other readings of a word as typed: figures for letters, letters held down."""
    found = []
    if any(char in "0134578@$" for char in word) and any(char.isalpha() for char in word):
        found += [word.translate(_DETERMINED_LEET), word.translate(_LEET_L)]
    for base in [word, *found]:
        squeezed = [char for at, char in enumerate(base) if at < 2 or base[at - 2 : at] != char * 2]
        once = [char for at, char in enumerate(base) if at == 0 or base[at - 1] != char]
        if len(squeezed) < len(base):
            found += ["".join(squeezed), "".join(once)]
    return [other for other in found if other != word]


def shortened(word: str) -> set[str]:
    """A word with each of its letters left out in turn, and itself."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


def is_slip(typed: str, meant: str) -> bool:
    """Whether a word may be another with one slip of the finger: a letter too many, one left out,
    two in the wrong order; in longer words also a wrong one. The first letter stands."""
    if typed[:1] != meant[:1] or min(len(typed), len(meant)) < 4:
        return False
    if len(typed) != len(meant):
        return min(typed, meant, key=len) in shortened(max(typed, meant, key=len))
    wrong = [at for at, pair in enumerate(zip(typed, meant, strict=True)) if pair[0] != pair[1]]
    swapped = (
        len(wrong) == 2 and typed[wrong[0] : wrong[1] + 1] == meant[wrong[1]] + meant[wrong[0]]
    )
    return swapped or (len(wrong) == 1 and len(meant) > 5)
