"""Where somebody says that they live: what follows "I live at" and the like, in six languages.

A street is known without such words (personal.py); a house's name, or a number without a street,
only with them. What has no figure, no house's name and no such words before it isn't found. Each
repeat is bounded, so none can be made to run for long.
"""

import re
from collections.abc import Collection, Iterator

_LIVE = (
    r"(?:live|lives|living|stay|staying|find me|reach me) at(?: (?:number|no\.?))?"
    r"|(?:dwi'n|rwy'n|rwyf yn|yn) byw yn|(?:j')?habite(?: au)?|vivo en(?: el| la)?"
    r"|wohne in(?: der)?"
    r"|mieszkam (?:przy|na|pod)(?: (?:numerem|nr))?"
)
_MINE = (
    r"(?:my|our)(?: home| postal)? address is|fy nghyfeiriad(?: i)? yw|mon adresse,? (?:est|c'est)"
    r"|mi direccion es|meine (?:adresse|anschrift) (?:ist|lautet)|moj adres(?: to)?"
)
_NO_NAME = (
    "home|my|the|a|an|his|her|their|our|your|this|that|same|another|mum|mums|dad|dads|in|on|of|and|or"
    "|with|but|so|near|since|for|now|to|from|by|at|is|was|different|other|separate|more|less|floors?"
    "|miles?|km|metres|meters|minutes?|mins?|hours?|days?|weeks?|months?|years?|percent|degrees"
    "|houses|homes|flats|places|addresses|people|etages?|ans?|mois|jours?|heures?|pieces|km|zimmern?"
    "|jahren?|jahre|monaten?|wochen?|tagen?|minuten|stunden|lat|lata|rok|roku|dni|godzin|minut|pietrze"
    "|anos|meses|dias|horas|minutos|casas|habitaciones|blynedd|diwrnod|milltir|munud|y|e|i|o|u|a|w|z"
)
_NAME = rf"(?!(?:{_NO_NAME})\b)[a-z][a-z'-]{{1,30}}"
_HOUSE = "cottage|house|farm|farmhouse|lodge|barn|villa|manor|hall|grange|rectory|vicarage|bungalow"
_HOUSE_FIRST = (
    "bwthyn|fferm|plas|tyddyn|residence|lotissement|lieu-dit|domaine|villa|finca|urbanizacion"
    "|residencial"
)
_MORE = rf"(?:, ?{_NAME}(?: {_NAME})?){{0,3}}"
_AT_HOME = re.compile(
    rf"(?<![\w'])(?:{_LIVE})[ :]{{1,3}}(?P<place>"
    rf"\d{{1,4}}[a-z]?,? (?:(?:the|les|los|las) )?{_NAME}(?: {_NAME})?{_MORE}"
    rf"|{_NAME}(?: {_NAME}){{0,2}} (?:{_HOUSE}){_MORE}"
    rf"|(?:{_HOUSE_FIRST}) {_NAME}(?: {_NAME})?{_MORE}"
    rf"|{_NAME} \d{{1,4}}[a-z]?(?:/\d{{1,4}})?(?![\w.,:]\d|\w| (?:{_NO_NAME})\b)"
    r")(?!\w)"
)
_HINT = (
    rf"\d|\b(?:{_HOUSE}|{_HOUSE_FIRST}|street|road|lane|avenue|close|drive|rue|calle|ulica|ul)\b"
)
_ADDRESS_IS = re.compile(
    rf"(?<![\w'])(?:{_MINE})[ :]{{1,3}}(?=[^\n.!?;]{{0,70}}?(?:{_HINT}))"
    r"(?P<place>[^\n.!?;]{2,70}(?<! ))"
)


def find(flat: str, known: Collection[int]) -> Iterator[tuple[int, int]]:
    """Where in plain characters somebody's address begins and ends. known: where addresses begin
    that were found without such words, which go no further."""
    for pattern in (_AT_HOME, _ADDRESS_IS):
        for found in pattern.finditer(flat):
            if found.start("place") not in known:
                yield found.span("place")
