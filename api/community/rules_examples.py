"""Examples for the moderators' own rules."""

from typing import Any

from api.community.paging_examples import OWL

WRITTEN: dict[str, Any] = {
    "key": "miracle-cures",
    "action": "hold",
    "phrases": ["miracle cure*", "cures? everything"],
    "unless": ["no miracle cure*"],
    "languages": ["en"],
    "description": "Promises of a cure: a moderator looks first.",
}
RULE: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-0000000041e1",
    "version": 1,
    **WRITTEN,
    "state": "draft",
    "state_in_words": "Written, not on",
    "written_by": {"id": OWL, "pseudonym": "Night Owl"},
    "written_at": "2027-01-04T08:30:00Z",
    "switched_at": None,
}
RULE_ON: dict[str, Any] = {
    **RULE,
    "state": "on",
    "state_in_words": "On",
    "switched_at": "2027-01-04T08:40:00Z",
}
TRIAL: dict[str, Any] = {
    "looked_at": 812,
    "since": "2026-12-05T08:30:00Z",
    "caught": 14,
    "wrongly": 2,
    "rightly": 5,
    "were": {"published": 9, "pending": 5},
    "examples": [
        {
            "post": "0198c0de-0000-7000-8000-00000000b051",
            "revision": "0198c0de-0000-7000-8000-00000000b052",
            "verdict": "published",
            "decided": "rightly",
        }
    ],
}
