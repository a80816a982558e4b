"""Addresses that somebody says are theirs are masked, and links are held, whatever their domain."""

from time import process_time

import pytest

from community.rules import judge

THERE = [
    ("I live at 12 Highfield", "en", "I live at [address]"),
    ("I live at 12 Highfield and my cat too", "en", "I live at [address] and my cat too"),
    ("we live at Rose Cottage, Mill Lane.", "en", "we live at [address]."),
    ("My address is Rose Cottage, 12 Mill Lane", "en", "My address is [address]"),
    ("j'habite au 12 Les Lilas", "fr", "j'habite au [adresse]"),
    ("vivo en Alameda 12", "es", "vivo en [dirección]"),
    ("mi dirección es Mayor 12", "es", "mi dirección es [dirección]"),
    ("wohne in Lindenhof 12", "de", "wohne in [Adresse]"),
    ("meine Adresse ist Am Hof 3", "de", "meine Adresse ist [Adresse]"),
    ("mieszkam przy Lipowej 7", "pl", "mieszkam przy [adres]"),
    ("Mój adres to Lipowa 7, Kraków", "pl", "Mój adres to [adres]"),
    ("dwi'n byw yn Bwthyn Rhosyn", "cy", "dwi'n byw yn [cyfeiriad]"),
    ("fy nghyfeiriad i yw Tan y Bryn, 4 Heol Fawr", "cy", "fy nghyfeiriad i yw [cyfeiriad]"),
]
NOWHERE = [
    ("my address is private", "en"),
    ("I live at home in a big house", "en"),
    ("I live at 3 different places", "en"),
    ("I live at the end of a long road", "en"),
    ("j'habite au 3e étage", "fr"),
    ("vivo en Madrid 3 años", "es"),
    ("wohne in München 20 Jahre", "de"),
    ("mieszkam na Mazurach 3 lata", "pl"),
]


@pytest.mark.parametrize(("text", "language", "masked"), THERE)
def test_what_follows_i_live_at_is_masked(text: str, language: str, masked: str) -> None:
    assert judge(text, language).masked == masked
    assert judge(masked, language).masked == masked


@pytest.mark.parametrize(("text", "language"), NOWHERE)
def test_what_is_no_address_stays(text: str, language: str) -> None:
    assert judge(text, language).masked == text


@pytest.mark.parametrize("link", ["see evil.care/x", "join discord.gg/abc", "wa.me", "t.me now"])
def test_a_link_is_held_whatever_its_domain(link: str) -> None:
    assert judge(link, "en").state == "pending"


@pytest.mark.parametrize(
    "text",
    ["and/or", "3.5/day", "L/L", "10.9/L", "ok.and/or not", "e.g./i.e.", "U.K./EU", "Yes.No"],
)
def test_a_slash_is_no_link(text: str) -> None:
    assert judge(text, "en").state == "published"


@pytest.mark.parametrize(
    "piece", ["live at ", "my address is ", "live at 1 a, ", "a.b/", "vivo en "]
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    before = process_time()
    judge(text, "en")
    assert process_time() - before < 8
