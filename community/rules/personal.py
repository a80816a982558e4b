"""Personal data and links in a post. The patterns are ours, and each repeat in them is bounded, so
none can be made to run for long; what moderators write are phrases.

They read plain characters (fullwidth, look-alike and keycap figures are figures), and a mark or a
picture between two figures hides no number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from community.rules import dwelling
from community.rules.plain import folded, plain
from community.rules.rulebook import cues

_MARKS = r"[ .\-–—/()·_~*]"  # noqa: RUF001
_BETWEEN = rf"(?:{_MARKS}|[\u2190-\u2bff\U0001f000-\U0001faff]){{0,3}}"
_RUN = re.compile(rf"(?<![0-9a-z])\(?\+?[0-9o](?:{_BETWEEN}[0-9oli]){{7,15}}(?![0-9a-z])")
_DATE = re.compile(
    r"(?<!\d)(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d"
    r"|\d{1,2}-\d{1,2}-(?:19|20)\d\d)(?!\d)"
)
_DECIMAL = re.compile(r"(?<![\d.])(?:0|[1-9]\d{0,2})[.,]\d{1,3}(?![.\d])")
_GROUPED = re.compile(r"^\d{3}[ .-]?\d{3}[ .-]?\d{3}$|^\d{3}(?:[ .-]\d\d){3}$|^\d(?: \d){8}$")
_TYPED_FOR = str.maketrans("oli", "011")
_ABROAD = re.compile(
    r"^\(\d{2,5}\)[ .-]?\d{3,5}[ .-]\d{3,4}$"  # (415) 555-0132, (11) 91234-5678
    r"|^(?:1[ .-])?[2-9]\d\d([.-])[2-9]\d\d\1\d{4}$"  # 415-555-0132
)
_MOBILE = {"es": "6789", "pl": "45678"}
"""First figures of national numbers, nine figures long and without a 0 before."""

_LOCAL = (
    r"(?<![\w.+@-])[a-z0-9][\w.+-]{0,63}"
    r"(?: (?:dot|punto|point|punkt|kropka) [a-z0-9][\w+-]{0,30}){0,2}"
)
_LABEL = r"[a-z0-9][a-z0-9-]{0,62}"
_AT = r"(?: ?@ ?| ?[\[({] ?(?:at|arroba|arobase|malpa|klammeraffe) ?[\])}] ?)"
_DOT = r"(?:\.| \. | ?[\[({] ?(?:dot|punto|point|punkt|kropka)[\])}] ?| dot | punto | kropka )"
_SAID_AT = r" (?:at|arroba|arobase|malpa) "
_SAID_DOT = r" (?:dot|punto|point|punkt|kropka) "
_MAIL_HOUSE = r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|proton(?:mail)?)"
_EMAIL = re.compile(
    rf"{_LOCAL}(?:{_AT}{_LABEL}(?:{_DOT}{_LABEL}){{1,4}}"
    rf"|{_SAID_AT}{_LABEL}(?:{_SAID_DOT}{_LABEL}){{1,4}}"
    rf"|(?:{_SAID_AT}|@| @ ){_MAIL_HOUSE}(?:[. ]{{1,3}}(?:com|co\.uk|fr|es|de|pl|me))?"
    rf"| chez {_MAIL_HOUSE}(?:(?:{_DOT}|{_SAID_DOT}){_LABEL})?)(?!\w)"
)
_CERTAIN = (
    "com|org|net|co|uk|info|io|shop|eu|wales|cymru|xyz|top|ru|online|site|store|app|link|biz|gov"
    "|edu|blog|health|ly|gl"
)
_DOUBTFUL = "de|fr|es|pl|me|it|ie|ch|at|be|nl|us|tv|cc|to|no|so|in|is|se|ai"
_SHORT = (
    r"discord\.gg|t\.me|wa\.me|youtu\.be|fb\.me|is\.gd|linktr\.ee|rb\.gy|telegram\.me|m\.me|x\.gd"
)
"""Houses that shorten addresses, or lead to groups elsewhere."""
_LINK = re.compile(
    r"(?<![\w@])(?:(?:https?|hxxps?|ftp) ?: ?//[^\s<>\"]{1,500}"
    r"|www ?\. ?[a-z0-9][^\s<>\"]{1,500}"
    rf"|{_LABEL}(?:\.{_LABEL}){{0,3}}\.(?:{_CERTAIN})(?![\w-]|\.\w)(?:[/?#][^\s<>\"]{{0,500}})?"
    rf"|{_LABEL}(?:\.{_LABEL}){{0,3}}\.(?:{_DOUBTFUL})/[^\s<>\"]{{0,500}}"
    # Whatever the domain: "3.5/day", "and/or", "ok.and/or" and "U.K./EU" have none.
    rf"|{_LABEL}(?:\.{_LABEL}){{0,3}}\.(?!(?:and|or|und|oder|et|ou|oraz|lub|neu)/)[a-z]{{2,24}}/[a-z0-9_~@#?=%-][^\s<>\"]{{0,500}}"
    rf"|(?:{_SHORT})(?![\w-]|\.\w)"
    rf"|{_LABEL} \. (?:{_CERTAIN})(?![\w-])"
    rf"|{_LABEL} ?(?:\(dot\)|\[dot\]| dot ) ?(?:{_CERTAIN}|{_DOUBTFUL})(?!\w))"
)
_AREAS = (
    "ab|al|b|ba|bb|bd|bh|bl|bn|br|bs|bt|ca|cb|cf|ch|cm|co|cr|ct|cv|cw|da|dd|de|dg|dh|dl|dn|dt|dy"
    "|e|ec|eh|en|ex|fk|fy|g|gl|gu|gy|ha|hd|hg|hp|hr|hs|hu|hx|ig|im|ip|iv|je|ka|kt|kw|ky|l|la|ld|le"
    "|ll|ln|ls|lu|m|me|mk|ml|n|ne|ng|nn|np|nr|nw|ol|ox|pa|pe|ph|pl|po|pr|rg|rh|rm|s|sa|se|sg|sk|sl"
    "|sm|sn|so|sp|sr|ss|st|sw|sy|ta|td|tf|tn|tq|tr|ts|tw|ub|w|wa|wc|wd|wf|wn|wr|ws|wv|yo|ze"
)
_POSTCODE = re.compile(
    rf"(?<![0-9a-z])(?:{_AREAS})[0-9][0-9a-z]?[ .\-]{{0,2}}[0-9][abd-hjlnp-uw-z]{{2}}(?![0-9a-z])"
)
_UNIT = (
    "minute|minutes|min|mins|hour|hours|day|days|week|weeks|month|months|year|years|mg|mcg|km|kms|mile|miles"
    "|m|h|uhr|minuten|stunden|tage|wochen|minutos|horas|dias|minut|godzin|dni|o|of|in|on|the|down|or|and|a"
    "|people|times|things|of|from|to|at|is|was|long|good|bad|weeks|year|more|doses|pens|injections"
)
_NAME = rf"(?!(?:{_UNIT})\b)[a-z][a-z'-]{{1,30}}"
_STREET = (
    "street|st|road|rd|avenue|ave|lane|close|drive|crescent|terrace|gardens|grove|square|court"
    "|place|mews|hill|row|parade"
)
_GIVEN = (
    "victor|jean|charles|jules|pierre|paul|marie|saint|sainte|emile|leon|louis|georges|henri|jacques"
    "|albert|anatole|aristide|gabriel|general|general de|charles de|marechal|docteur"
)
"""What stands before a name that a French street has: "avenue Victor Hugo"."""
_HOUSE = r"(?<![\w.,])\d{1,4}[a-z]?,? "
_ADDRESS = re.compile(
    "|".join(
        [
            # English: 12 High Street; Flat 3, 12 High Street
            rf"(?<![\w.,])(?:(?:flat|apartment|apt|unit) ?\d{{1,4}}[a-z]?,? {{1,2}})?"
            rf"\d{{1,4}}[a-z]?,? {_NAME}(?: {_NAME}){{0,2}} (?:{_STREET})(?!\w)",
            r"(?<![\w.,])\d{1,4}[a-z]? the (?:crescent|mews|grove|terrace|avenue|paddock)(?!\w)",
            # Welsh: 12 Stryd Fawr
            rf"{_HOUSE}(?:stryd|heol|ffordd|lon|rhodfa|maes|clos|tan-y) (?:y |yr )?{_NAME}",
            # French: 12 bis, rue de la Paix
            r"(?<![\w.,])\d{1,4}(?: ?bis| ?ter)?,? "
            r"(?:rue|avenue|boulevard|bd|impasse|allee|chemin|quai|cours) "
            rf"(?:(?:de|du|des|la|le|les|l'|d') ?){{0,3}}(?:(?:{_GIVEN}) )?[a-z'-]{{2,30}}",
            r"(?<![\w.,])\d{1,4},? place (?:(?:de la|de|du|des|d') ?[a-z'-]{2,30}"
            r"|[a-z'-]{3,30}, ?\d{5}(?!\d))",
            # Spanish: calle Mayor, 12
            r"(?<!\w)(?:calle|c/|avenida|avda\.?|plaza|paseo|camino) ?"
            r"(?:(?:de|del|la|las|los|el) ){0,3}[a-z'-]{2,30}(?: [a-z'-]{2,30}){0,2}"
            r"(?:,| n\.?| numero)? \d{1,4}(?![\d,.]\d|\w)",
            # German: Lindenstraße 12
            r"(?<!\w)[a-z-]{3,30}(?: ?strasse| ?str\.|str|weg|platz|allee|gasse|damm|ufer) "
            rf"\d{{1,3}}[a-z]?(?![\w.,]\d|\w| (?:{_UNIT})\b)",
            # Am Markt 3, 50667 Köln
            r"(?<!\w)(?:am|an der|auf dem|auf der|beim|im|in der|zum|zur|unter den) [a-z-]{3,30} "
            r"\d{1,3}[a-z]?, ?\d{5} [a-z-]{3,30}",
            # Polish: ul. Długa 12/3
            r"(?<!\w)(?:ul\.?|ulica|ulicy|aleja|al\.|os\.|osiedle|plac) (?:[a-z'-]{2,30} ){1,3}"
            r"\d{1,4}[a-z]?(?:/\d{1,4}| ?m\.? ?\d{1,4})?(?!\w)",
        ]
    )
)
_SAID_FIGURES = 9
_SAID_AT_ONCE = 7
"""Figures of one that is partly in words: "07700 nine double zero"."""
_SAYING = 4
"""Words before a number that may say what it is; _SEEN: characters that they stand in."""
_SEEN = 60


@dataclass(frozen=True, slots=True)
class Personal:
    """text[start:end] is of a kind: phone, email, nhs_number, postcode, address, or link."""

    kind: str
    start: int
    end: int


def find(text: str, language: str) -> list[Personal]:
    """Personal data and links in a text, in order of place; some may share characters."""
    chars = folded(text)
    flat = "".join(char for char, _ in chars)

    def there(kind: str, first: int, last: int) -> Personal:
        return Personal(kind, chars[first][1], chars[last - 1][1] + 1)

    emails = [(found.start(), found.end()) for found in _EMAIL.finditer(flat)]
    found = [there("email", *span) for span in emails]
    for kind, pattern in (("postcode", _POSTCODE), ("address", _ADDRESS)):
        found += [there(kind, *one.span()) for one in pattern.finditer(flat)]
    streets = {one.start() for one in _ADDRESS.finditer(flat)}
    found += [there("address", *span) for span in dwelling.find(flat, streets)]
    found += [there(kind, *span) for kind, span in _numbers(flat, language)]
    found += [
        there("link", *one.span())
        for one in _LINK.finditer(flat)
        if not any(first < one.end() and one.start() < last for first, last in emails)
    ]
    found += _said(text)
    return sorted(set(found), key=lambda one: (one.start, one.end, one.kind))


def _numbers(flat: str, language: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Phone and NHS numbers. Dates and results ("0.45 0.43") are no part of one."""
    for pattern in (_DATE, _DECIMAL):
        flat = pattern.sub(lambda found: "\n" * len(found[0]), flat)
    for run in _RUN.finditer(flat):
        figures = re.sub("[^0-9+]", "", run[0].translate(_TYPED_FOR))
        real = sum(char.isdigit() for char in run[0])
        if real * 2 <= len(figures):
            continue
        before = flat[max(0, run.start() - _SEEN) : run.start()].rpartition("\n")[2]
        if len(figures) == 10 and "+" not in figures and _is_nhs_number(figures):
            yield "nhs_number", run.span()
        elif _is_phone(figures, run[0], language, before):
            yield "phone", run.span()


def _is_phone(figures: str, typed: str, language: str, before: str) -> bool:
    """before: what stands before it in its line, whose last words may say what it is."""
    if figures.startswith(("+", "00")):
        return True
    if figures.startswith("0"):
        return 9 <= len(figures) <= 12
    if len(figures) in {11, 12} and figures.startswith(("44", "48", "34", "33", "49")):
        return True
    if _last_words(re.split(r"[!?;]|\. ", before)[-1]) & cues().figures:
        return False
    national = len(figures) == 9 and _GROUPED.match(typed) is not None
    return (
        (national and figures[0] in _MOBILE.get(language, ""))
        or _ABROAD.match(typed) is not None
        or bool(_last_words(before) & cues().calling)
    )


def _last_words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d_]+", text)[-_SAYING:])


def _is_nhs_number(figures: str) -> bool:
    """Ten figures, the last a check of the others by modulus 11 (NHS Data Dictionary)."""
    rest = sum(int(figure) * (10 - at) for at, figure in enumerate(figures[:9])) % 11
    return (
        not figures.startswith("0000") and figures[0] != "0" and (11 - rest) % 11 == int(figures[9])
    )


def _said(text: str) -> Iterator[Personal]:
    """A number in words ("oh seven seven double zero ..."), nine figures or more in a row."""
    said, post = cues().digits, plain(text)
    first = count = words = 0
    for number in range(len(post.words)):
        word = post.word_text(number) if number < len(post.words) - 1 else ""
        if word in said or (word.isdigit() and len(word) < _SAID_AT_ONCE):
            first = number if not count else first
            count += 1 if word in said else len(word)
            words += word in said
            continue
        if count >= _SAID_FIGURES and words * 2 >= count:
            start, end = post.words[first], post.words[number] - 1
            yield Personal("phone", post.at[start], post.at[end] + 1)
        count = words = 0
