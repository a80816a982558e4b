"""Files of patients for tests of the import."""

COLUMNS = "name,reference,number,time_zone,language,hour,wording,consent_on,consent_source"
SCHEDULE = "interval_days,starts_on,last_injection_on"
GOOD = {
    "name": "Bo Example",
    "reference": "H-1",
    "number": "07700 900002",
    "time_zone": "Europe/London",
    "language": "en",
    "hour": "09:00",
    "wording": "discreet",
    "consent_on": "2026-12-01",
    "consent_source": "written",
    "interval_days": "14",
    "starts_on": "2027-01-11",
    "last_injection_on": "2026-12-28",
}


def file_of(*rows: dict[str, str]) -> str:
    """A file with these rows: what they don't say is as in GOOD."""
    lines = [{**GOOD, **row} for row in rows]
    return "\n".join(
        [",".join(GOOD), *(",".join(f'"{cell}"' for cell in line.values()) for line in lines), ""]
    )


def many(count: int) -> list[dict[str, str]]:
    """So many different patients of one clinic, two to a phone."""
    return [
        {
            "name": f"Patient {index}",
            "reference": f"P-{index}",
            "number": f"+447911{index // 2:06}",
            "hour": f"{8 + index % 12:02}:{index % 60:02}",
            "interval_days": str((7, 14, 21)[index % 3]),
        }
        for index in range(count)
    ]


def counts(file) -> dict[str, int]:
    return {name: getattr(file, name) for name in ("rows", "good", "there", "bad", "done")}
