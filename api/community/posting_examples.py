"""What the document shows of writing: made up, and the same throughout."""

from typing import Any

SPACE = "0198c0de-0000-7000-8000-0000000005ac"
THREAD = "0198c0de-0000-7000-8000-0000000074ad"
POST = "0198c0de-0000-7000-8000-00000000b057"
MEMBER = "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c01"
DRAFT = "0198c0de-0000-7000-8000-00000000d4af"

THREAD_WRITTEN: dict[str, Any] = {
    "title": "Nights after the injection",
    "body": "I lie awake until three. What helps *you*?",
    "tags": ["sleep", "two_weekly"],
}
REPLY_WRITTEN: dict[str, Any] = {"body": "Same here. Injecting in the morning helped me."}
STANDS: dict[str, Any] = {
    "id": POST,
    "thread": THREAD,
    "state": "published",
    "state_in_words": "Published",
    "version": 2,
}
SAID: dict[str, Any] = {"covered": ["phone"], "reasons": [], "advice": False, "help": None}
POSTED: dict[str, Any] = {
    "post": STANDS,
    "verdict": "published",
    "verdict_in_words": "Published",
    "said": SAID,
}
MINE: dict[str, Any] = {
    **STANDS,
    "opens": True,
    "space": SPACE,
    "published_at": "2027-01-04T09:00:00Z",
    "number": 1,
    "written_at": "2027-01-04T09:00:00Z",
    "title": "Nights after the injection",
    "body": "I lie awake until three. What helps *you*?",
    "html": "<p>I lie awake until three. What helps <em>you</em>?</p>\n",
    "tags": ["sleep", "two_weekly"],
    "verdict": "published",
    "reasons": [],
    "seen": True,
}
DRAFT_WRITTEN: dict[str, Any] = {"body": "I wanted to ask"}
DRAFT_SHOWN: dict[str, Any] = {
    "id": DRAFT,
    "space": None,
    "thread": THREAD,
    "title": "",
    "body": "I wanted to ask",
    "tags": [],
    "saved_at": "2027-01-04T09:00:00Z",
}
