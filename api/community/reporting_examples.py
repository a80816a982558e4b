"""What the document shows of reports, decisions and appeals: made up, and the same throughout."""

from typing import Any

POST = "0198c0de-0000-7000-8000-00000000b057"
MEMBER = "6f1d9a52-7c35-4c55-9d0e-3f6f0b8a1c02"
DECISION = "0198c0de-0000-7000-8000-00000000dec1"

REPORT_WRITTEN: dict[str, Any] = {"reason": "advice", "words": "Says we should all halve the dose."}
REPORTED: dict[str, Any] = {"id": "0198c0de-0000-7000-8000-000000004e90", "help": None}
MY_REPORT: dict[str, Any] = {
    "id": REPORTED["id"],
    "post": POST,
    "member": None,
    "reason": "advice",
    "reason_in_words": "Tells others what to do with their medicine",
    "words": "Says we should all halve the dose.",
    "at": "2027-01-04T09:00:00Z",
    "outcome": "upheld",
    "outcome_in_words": "Something was done",
    "decided_at": "2027-01-04T09:20:00Z",
}
APPEAL: dict[str, Any] = {
    "words": "I only told what my doctor and I did.",
    "at": "2027-01-04T10:00:00Z",
    "upheld": None,
    "answer": "",
    "decided_at": None,
}
MY_DECISION: dict[str, Any] = {
    "id": DECISION,
    "post": POST,
    "measures": [{"kind": "hide", "kind_in_words": "Hide it", "until": None}],
    "reason": "It tells others what to do with their medicine. (House rule: Tell what happened to "
    "you)",
    "words": "Please say it as your own experience.",
    "at": "2027-01-04T09:20:00Z",
    "way_to_appeal": "Do you think we are wrong? You can appeal once. Another moderator decides.",
    "appeal_until": "2027-02-03T09:20:00Z",
    "appeal": None,
    "overturned_at": None,
}
