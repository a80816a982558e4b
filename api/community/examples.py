"""The personas and posts of the document's examples: made up, and the same throughout."""

from typing import Any

HERON = "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c01"

JOINING: dict[str, Any] = {
    "pseudonym": "Blue Heron",
    "language": "en",
    "time_zone": "Europe/London",
    "accepts": 1,
}
PERSONA: dict[str, Any] = {
    "id": HERON,
    "pseudonym": "Blue Heron",
    "role": "member",
    "language": "en",
    "time_zone": "Europe/London",
    "condition": "pv",
    "interval_days": 14,
    "months": 18,
    "tags": ["sleep"],
    "accepted_rules": 1,
}
MEMBER: dict[str, Any] = {
    "id": HERON,
    "name": "Blue Heron",
    "role": "member",
    "condition": "pv",
    "interval_days": 14,
    "months": 18,
    "tags": ["sleep"],
}
BOND: dict[str, Any] = {"member": HERON, "name": "Blue Heron", "kind": "block"}
CAME_IN: dict[str, Any] = {
    "token": "0f" * 32,
    "expires_at": "2027-01-04T18:30:00Z",
    "persona": PERSONA,
}
HOUSE_RULES: dict[str, Any] = {
    "version": 1,
    "title": "House rules",
    "rules": [{"title": "Be kind", "text": "Swear at the disease, never at people."}],
    "appeals": "You can appeal once, and another moderator decides.",
}
