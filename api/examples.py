"""The people and things of the document's examples: made up, and the same throughout."""

from typing import Any

CLINIC = "0198c0de-0000-7000-8000-00000000c110"
ADA = "0198c0de-0000-7000-8000-00000000ada0"
ETAG = '"5b0c1e2f9a7d4c3b8e6f1a2d3c4b5a69"'
NEXT = f"https://dosecircle.example/api/v1/patients?cursor=AZjA3gAAcACAAAAAAArtoA&clinic={CLINIC}"

ENROLMENT: dict[str, Any] = {
    "clinic": CLINIC,
    "name": "Ada Example",
    "reference": "H-1042",
    "number": "+44 7700 900001",
    "time_zone": "Europe/London",
    "language": "en",
    "hour": "09:00",
    "wording": "discreet",
    "consent_on": "2026-12-01",
    "consent_source": "written",
}
PATIENT: dict[str, Any] = {
    "id": ADA,
    **ENROLMENT,
    "number": "+447700900001",
    "created_at": "2027-01-04T08:30:00Z",
    "left_at": None,
    "schedule": {"status": "running", "review_on": None},
    "new_number": None,
}
DECISION: dict[str, Any] = {
    "interval_days": 14,
    "starts_on": "2027-01-25",
    "reason": "Counts stable for three months.",
    "results": "Hct 0.43 L/L, platelets 310 10*9/L",
}
SCHEDULE: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-0000000005c4",
    "patient": ADA,
    "status": "running",
    "status_in_words": "Running: reminders go out.",
    "last_injection_on": "2027-01-04",
    "review_on": None,
    "stopped_at": None,
    "versions": [
        {
            "number": 1,
            "interval_days": 7,
            "starts_on": "2027-01-11",
            "reason": "First injections.",
            "results": "",
            "decided_by": "Grace Example",
            "decided_at": "2027-01-04T09:12:00Z",
        }
    ],
    "waiting": [],
    "planned": {"date": "2027-01-18", "interval_days": 7, "remind_at": "2027-01-18T09:00:00Z"},
    "etag": ETAG,
}
NOTICE: dict[str, Any] = {
    "body": "St Example: your dates have changed. From Mon 25 January it is every 2 weeks.",
    "leaves_at": "2027-01-15T09:00:00Z",
    "expires_at": "2027-01-15T21:00:00Z",
    "note": "The patient gets this text.",
}
TEXT: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000007e87",
    "about": "dose",
    "step": "day",
    "body": "St Example: today, Monday 11 January. Answer 1 when it is done.",
    "to": "+447700900001",
    "state": "delivered",
    "state_in_words": "Arrived on the phone.",
    "state_at": "2027-01-11T09:00:04Z",
    "leaves_at": "2027-01-11T09:00:00Z",
    "error_code": None,
    "error_in_words": "",
}
OUTCOME: dict[str, Any] = {
    "schedule": SCHEDULE,
    "too_late": [],
    "too_late_note": "No text of the former plan is on its way.",
    "notice": NOTICE,
}
PREVIEW: dict[str, Any] = {
    "schedule": SCHEDULE,
    "before": ["2027-01-18", "2027-01-25", "2027-02-01"],
    "after": ["2027-01-18", "2027-01-25", "2027-02-08"],
    "gap_days": 21,
    "cautions": [],
    "open_dose": None,
    "notice": NOTICE,
}
DOSE: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000d05e",
    "date": "2027-01-11",
    "state": "taken",
    "missed_because": "",
    "records": [
        {
            "number": 1,
            "told": "taken",
            "taken_on": "2027-01-11",
            "taken_at": "09:40",
            "site": "thigh_left",
            "as_prescribed": None,
            "note": "",
            "came_by": "staff",
            "recorded_by": "Grace Example",
            "recorded_at": "2027-01-11T10:02:00Z",
        }
    ],
}
ANSWER: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000a15e",
    "text": "0198c0de-0000-7000-8000-000000001b0d",
    "body": "done thanks x",
    "received_at": "2027-01-11T09:41:00Z",
    "meanings": ["taken"],
    "urgent": [],
    "handled": "recorded",
    "handled_in_words": "An injection was recorded",
    "dose": "0198c0de-0000-7000-8000-00000000d05e",
}
WORK_ITEM: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-00000000a27e",
    "patient": {"id": ADA, "name": "Ada Example", "clinic": CLINIC},
    "cause": "no_answer",
    "cause_in_words": "No answer for 48 hours",
    "next_step": "Call the patient, ask whether the injection was done, and record it. A clinician "
    "says how to go on with a dose that is more than two days late.",
    "urgency": 1,
    "urgency_in_words": "Today",
    "facts": {"dose": "0198c0de-0000-7000-8000-00000000d05e", "date": "2027-01-11"},
    "times": 1,
    "opened_at": "2027-01-13T09:00:00Z",
    "last_at": "2027-01-13T09:00:00Z",
    "owner": {"id": "0198c0de-0000-7000-8000-0000000096ac", "name": "Grace Example"},
    "owned_until": "2027-01-13T10:05:00Z",
    "closed_at": None,
    "closed_by": None,
    "outcome": "",
    "outcome_in_words": "",
}
WORK_ITEM_WITH_NOTES: dict[str, Any] = {
    **WORK_ITEM,
    "notes": [
        {
            "kind": "opened",
            "kind_in_words": "Opened",
            "text": "",
            "facts": WORK_ITEM["facts"],
            "by": None,
            "at": "2027-01-13T09:00:00Z",
        },
        {
            "kind": "taken",
            "kind_in_words": "Taken",
            "text": "",
            "facts": {},
            "by": WORK_ITEM["owner"],
            "at": "2027-01-13T09:35:00Z",
        },
    ],
}
DUTY: dict[str, Any] = {
    "user": "0198c0de-0000-7000-8000-0000000096ac",
    "rung": 1,
    "number": "+447700900901",
    "starts_at": None,
    "ends_at": "2027-02-01T09:00:00Z",
}
ROTA: dict[str, Any] = {
    "covered": True,
    "duties": [{**DUTY, "name": "Grace Example", "deaf_since": None}],
}
POLICY: dict[str, Any] = {
    "text_next_day": True,
    "text_overdue": True,
    "texts_from": "08:00",
    "texts_until": "21:00",
    "later_minutes": 120,
    "on_time_days": 1,
    "page_minutes": 10,
    "result_days": None,
    "sites": ["abdomen_left", "abdomen_right", "thigh_left", "thigh_right"],
    "out_of_hours": "+442079460111",
    "emergency": "999",
    "crisis_line": "116 123",
    "segment_price": "0.0400",
    "currency": "GBP",
}
MEMBERSHIPS: list[dict[str, Any]] = [
    {
        "clinic": {
            "id": CLINIC,
            "name": "St Example",
            "phone": "+442079460000",
            "time_zone": "Europe/London",
            "intervals": [7, 14, 21],
        },
        "role": "clinician",
    }
]
PERSON: dict[str, Any] = {
    "id": "0198c0de-0000-7000-8000-0000000096ac",
    "name": "Grace Example",
    "email": "grace@example.org",
}
SIGN_IN: dict[str, Any] = {"email": "grace@example.org", "password": "correct horse battery staple"}
SIGNED_IN: dict[str, Any] = {
    "token": "9f2c" * 16,
    "expires_at": "2027-01-04T18:30:00Z",
    "user": PERSON,
    "memberships": MEMBERSHIPS,
}
