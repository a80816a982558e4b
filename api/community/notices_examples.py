"""Examples for notices and contacts."""

from typing import Any

from api.community.reporting_examples import MY_DECISION

THREAD = "0198c0de-0000-7000-8000-000000007d01"
POST = "0198c0de-0000-7000-8000-00000000b051"

NOTICE: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000000071",
    "kind": "reply",
    "words": "Wren replied in your thread “Nights”.",
    "at": "2027-01-04T08:30:00Z",
    "read_at": None,
    "thread": THREAD,
    "post": POST,
    "decision": None,
}
OF_A_DECISION: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000000070",
    "kind": "decision",
    "words": "A moderator decided about something you wrote. You can read why.",
    "at": "2027-01-03T18:00:00Z",
    "read_at": "2027-01-03T19:00:00Z",
    "thread": None,
    "post": POST,
    "decision": MY_DECISION,
}
QUIET: dict[str, Any] = {
    "quiet": ["reaction"],
    "always": ["appeal", "approved", "decision", "report"],
}
HEARING: dict[str, Any] = {"channel": "mail", "address": "heron@example.org", "every_days": 7}
CONTACTS: dict[str, Any] = {
    "results": [
        {
            "channel": "mail",
            "address": "heron@example.org",
            "every_days": 7,
            "confirmed_at": "2027-01-04T08:30:00Z",
        }
    ]
}
