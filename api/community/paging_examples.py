"""Examples for the moderators' rota and for acknowledging a crisis."""

from typing import Any

OWL = "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c02"

TAKING: dict[str, Any] = {
    "rung": 1,
    "number": "+44 7700 900201",
    "starts_at": None,
    "ends_at": "2027-01-11T08:00:00Z",
}
DUTY: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000d071",
    "moderator": {"id": OWL, "pseudonym": "Night Owl"},
    "rung": 1,
    "number": "+447700900201",
    "starts_at": None,
    "ends_at": "2027-01-11T08:00:00Z",
    "test_sent_at": "2027-01-04T08:30:00Z",
    "ready_at": None,
    "deaf_since": None,
}
ROTA: dict[str, Any] = {"covered": True, "duties": [{**DUTY, "ready_at": "2027-01-04T08:31:00Z"}]}
ACKNOWLEDGED: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-0000000ca5e0",
    "version": 1,
    "acknowledged_at": "2027-01-04T08:30:20Z",
    "held_until": "2027-01-04T09:00:20Z",
}
