"""Who may look at a case, and who may decide it: never on oneself, or on what one began."""

from uuid import UUID

from accounts.refusals import Forbidden, NotFound
from community.models import Case, Report


def check_may_see(case: Case, moderator_id: UUID) -> None:
    """Nothing, if a moderator may see a case; NotFound for one about themselves, which says who
    reported them."""
    if case.about_id == moderator_id:
        raise NotFound("case")


def check_impartial(case: Case, moderator_id: UUID) -> None:
    """Nothing, if a moderator may decide a case; NotFound for one about themselves, Forbidden for
    one that they reported, wanted a second opinion on, or decided before the appeal."""
    check_may_see(case, moderator_id)
    if case.second_opinion_for_id == moderator_id:
        raise Forbidden(
            "second_opinion", "You have asked for a second opinion: somebody else decides."
        )
    if case.decision is not None and case.decision.by_id == moderator_id:
        raise Forbidden("own_decision", "This appeal is against your decision: leave it to others.")
    origin = case.decision.case_id if case.decision is not None else case.id
    if Report.objects.filter(case=origin, reporter=moderator_id).exists():
        raise Forbidden("own_report", "You have reported this: somebody else decides.")
