"""What the document shows of moderation: made up, and the same throughout."""

from typing import Any

from api.community.examples import HERON

CASE_ID = "0198c0de-0000-7000-8000-00000000ca5e"
POST = "0198c0de-0000-7000-8000-00000000b057"
THREAD = "0198c0de-0000-7000-8000-0000000074ad"
SPACE = "0198c0de-0000-7000-8000-0000000005ac"
REVISION = "0198c0de-0000-7000-8000-0000000047e1"
DECISION_ID = "0198c0de-0000-7000-8000-00000000dec1"

AUTHOR: dict[str, Any] = {"id": HERON, "pseudonym": "Blue Heron"}
OWL: dict[str, Any] = {"id": "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c09", "pseudonym": "Owl"}
CASE: dict[str, Any] = {
    "id": CASE_ID,
    "kind": "report",
    "kind_in_words": "Reported by members",
    "urgency": 1,
    "crisis": False,
    "crisis_at": None,
    "version": "2-2",
    "about": AUTHOR,
    "post": POST,
    "post_state": "published",
    "opened_at": "2027-01-04T09:00:00Z",
    "seen_at": "2027-01-04T09:04:00Z",
    "owner": OWL,
    "owned_until": "2027-01-04T09:34:00Z",
    "wants_second_opinion": False,
    "acknowledged_at": None,
    "held_until": None,
    "closed_at": None,
}
DECISION: dict[str, Any] = {
    "id": DECISION_ID,
    "by": OWL,
    "post": POST,
    "revision": REVISION,
    "measures": [{"kind": "hide", "kind_in_words": "Hide it", "until": None}],
    "reason": "advice",
    "words": "Please say it as your own experience.",
    "adverse": True,
    "at": "2027-01-04T09:20:00Z",
    "appeal_until": "2027-02-03T09:20:00Z",
    "overturned_at": None,
}
FILE: dict[str, Any] = {
    "case": CASE,
    "post": {
        "id": POST,
        "thread": THREAD,
        "space": SPACE,
        "opens": False,
        "state": "published",
        "state_in_words": "Published",
        "published_at": "2027-01-04T08:40:00Z",
    },
    "wordings": [
        {
            "id": REVISION,
            "number": 1,
            "by": AUTHOR,
            "language": "en",
            "title": "",
            "body": "You should all halve your dose.",
            "tags": [],
            "verdict": "published",
            "crisis": False,
            "advice": True,
            "masked": False,
            "hits": [
                {
                    "rule": "advice.should",
                    "version": 1,
                    "action": "advice",
                    "note": "",
                    "place": [1, 11],
                }
            ],
            "at": "2027-01-04T08:40:00Z",
            "published": True,
        }
    ],
    "reports": [
        {
            "id": "0198c0de-0000-7000-8000-000000004e90",
            "reporter": {"id": "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c02", "pseudonym": "Wren"},
            "revision": REVISION,
            "reason": "advice",
            "reason_in_words": "Tells others what to do with their medicine",
            "words": "Says we should all halve the dose.",
            "weight": 2,
            "at": "2027-01-04T09:00:00Z",
            "outcome": "",
        }
    ],
    "earlier_reports": False,
    "appeal": None,
    "events": [
        {
            "kind": "claimed",
            "kind_in_words": "Taken",
            "by": OWL,
            "facts": {"version": 2},
            "text": "",
            "at": "2027-01-04T09:04:00Z",
        }
    ],
    "earlier": False,
    "history": {
        "persona": {
            **AUTHOR,
            "language": "en",
            "joined_at": "2026-10-01T12:00:00Z",
            "left_at": None,
            "condition": "pv",
            "approved_posts": 7,
        },
        "trusted": True,
        "decisions": [],
        "sanctions": [],
        "upheld": 0,
    },
    "decision": None,
}
FREE_FILE = {**FILE, "case": {**CASE, "owner": None, "owned_until": None}}
DECIDED_FILE = {
    **FILE,
    "case": {**FREE_FILE["case"], "closed_at": "2027-01-04T09:20:00Z"},
    "decision": DECISION,
}
RULING: dict[str, Any] = {
    "measures": [{"kind": "hide"}],
    "revision": REVISION,
    "reason": "advice",
    "words": "Please say it as your own experience.",
}
CHOICES: dict[str, Any] = {
    "measures": [
        {
            "kind": "hide",
            "kind_in_words": "Hide it",
            "goes_with": ["warn", "silence", "suspend"],
            "begins_at": ["published", "hidden"],
        }
    ],
    "reasons": [
        {
            "key": "advice",
            "in_words": {
                "en": "It tells others what to do with their medicine. (House rule: Tell what "
                "happened to you)"
            },
        }
    ],
}
TIMES: dict[str, Any] = {"cases": 41, "median": 12.5, "p95": 96.0}
NONE: dict[str, Any] = {"cases": 0, "median": None, "p95": None}
BOARD: dict[str, Any] = {
    "days": 30,
    "cap": 10,
    "kinds": [
        {
            "kind": "",
            "waiting": 3,
            "oldest": "2027-01-04T08:10:00Z",
            "seen": TIMES,
            "decided": {"cases": 40, "median": 31.0, "p95": 240.0},
            "acknowledged": NONE,
        }
    ],
    "moderators": [{**OWL, "has": 2, "decided": 25, "adverse": 9, "overturned": 1}],
    "adverse": 9,
    "overturned": 1,
}
FIGURES: dict[str, Any] = {
    "days": 30,
    "waiting": 3,
    "seen": TIMES,
    "decided": {"cases": 40, "median": 31.0, "p95": 240.0},
    "crisis": None,
    "adverse": 9,
    "overturned": 1,
}
KEPT: dict[str, Any] = {"id": THREAD, "closed": False, "pinned": False, "slow_seconds": 300}
