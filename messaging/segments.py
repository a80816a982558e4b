"""How many segments a text costs, counted as Twilio does.

GSM 03.38 (3GPP TS 23.038): 160 septets in one segment, 153 in each of several, where characters of
the extension table take two and are not split. One character outside of both makes the whole text
UCS-2: 70 UTF-16 code units in one segment, 67 in each of several, where a pair isn't split.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def count_segments(body: str) -> int:
    """Segments of a text; an empty one counts as one."""
    if all(character in _BASIC or character in _EXTENDED for character in body):
        return _fill([2 if character in _EXTENDED else 1 for character in body], 160, 153)
    return _fill([2 if ord(character) > 0xFFFF else 1 for character in body], 70, 67)


def _fill(sizes: list[int], alone: int, each: int) -> int:
    """Segments that hold characters of these sizes, in order, none of them split."""
    if sum(sizes) <= alone:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > each:
            segments, used = segments + 1, 0
        used += size
    return segments
