"""Reports by members: what they say of a post or of a member, and what became of it."""

from datetime import datetime

from community.models import Case, NoticeKind, Report
from community.notices.writing import tell


def answer_reports(case: Case, outcome: Report.Outcome, now: datetime) -> None:
    """Say what became of a case's reports, and tell each reporter, once."""
    waiting = Report.objects.select_for_update().filter(case=case, outcome="").order_by("id")
    for report in waiting.select_related("reporter"):
        tell(report.reporter, NoticeKind.REPORT, f"report:{report.id}", now, report=report)
    Report.objects.filter(case=case, outcome="").update(outcome=outcome, decided_at=now)
