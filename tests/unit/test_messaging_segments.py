"""Segments as Twilio counts them (its own examples and the limits of GSM 03.38 and UCS-2)."""

import pytest

from messaging.segments import count_segments


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),  # the extension table: two septets each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 150, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the pair isn't split over two segments
        ("ş" * 70, 1),
        ("ş" * 71, 2),
        ("a" * 159 + "\u2019", 3),  # one typographic quote makes it UCS-2
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 whole pairs in 67 code units
    ],
)
def test_segments(body, segments):
    assert count_segments(body) == segments
