"""What the document shows of reading: made up, and the same throughout."""

from typing import Any

from api.community.posting_examples import MEMBER, POST, THREAD
from api.community.posting_examples import SPACE as SPACE_ID

SPACE: dict[str, Any] = {
    "id": SPACE_ID,
    "key": "sleep",
    "title": "Sleep",
    "about": "Nights, naps and what helps.",
    "closed": False,
}
AUTHOR: dict[str, Any] = {"id": MEMBER, "name": "Blue Heron", "role": "member"}
TEXT: dict[str, Any] = {
    "id": POST,
    "thread": THREAD,
    "author": AUTHOR,
    "opens": True,
    "language": "en",
    "title": "Nights after the injection",
    "body": "I lie awake until three. What helps *you*?",
    "html": "<p>I lie awake until three. What helps <em>you</em>?</p>\n",
    "tags": ["sleep", "two_weekly"],
    "advice": False,
    "edited": False,
    "published_at": "2027-01-04T09:00:00Z",
    "hugs": 4,
    "same": 2,
    "helped": 0,
    "my_reactions": ["hugs"],
    "mine": False,
}
ENTRY: dict[str, Any] = {
    "thread": THREAD,
    "space": SPACE_ID,
    "author": AUTHOR,
    "title": "Nights after the injection",
    "excerpt": "I lie awake until three. What helps you?",
    "language": "en",
    "tags": ["sleep", "two_weekly"],
    "pinned": False,
    "published_at": "2027-01-04T09:00:00Z",
    "active_at": "2027-01-04T10:00:00Z",
    "replies": 3,
    "unread": 1,
}
THREAD_PAGE: dict[str, Any] = {
    "next": None,
    "thread": {
        "id": THREAD,
        "space": SPACE_ID,
        "replies": 0,
        "active_at": "2027-01-04T09:00:00Z",
        "pinned": False,
        "closed": False,
        "slow_seconds": 0,
        "follows": True,
        "read_to": None,
    },
    "opener": TEXT,
    "results": [],
}
