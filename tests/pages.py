"""The community's pages: which there are, and a browser without a screen for them."""

from django.test import Client
from django.utils import timezone

from community.members import entering
from community.models import Persona

COMMUNITY_PAGES = {
    "/community": "Member page",
    "/community/help": "Appellant page",
    "/community/rules": "Joined page",
    "/community/go-out": "Appellant page",
    "/community/feeds/<str:kind>": "Member page",
    "/community/tags/<str:tag>": "Member page",
    "/community/rooms/<uuid:space_id>": "Member page",
    "/community/rooms/<uuid:space_id>/write": "Member page",
    "/community/threads/<uuid:thread_id>": "Member page",
    "/community/threads/<uuid:thread_id>/reply": "Member page",
    "/community/threads/<uuid:thread_id>/follow": "Member page",
    "/community/posts/<uuid:post_id>/react": "Member page",
    "/community/posts/<uuid:post_id>/report": "Member page",
    "/community/members/<uuid:member_id>": "Member page",
    "/community/members/<uuid:member_id>/report": "Member page",
    "/community/members/<uuid:member_id>/bond": "Member page",
    "/community/search": "Member page",
    "/community/mine": "Member page",
    "/community/mine/<uuid:post_id>": "Member page",
    "/community/mine/<uuid:post_id>/change": "Member page",
    "/community/mine/<uuid:post_id>/take-away": "Member page",
    "/community/mine/<uuid:post_id>/ask": "Member page",
    "/community/drafts/<uuid:draft_id>/discard": "Member page",
    "/community/shares": "Appellant page",
    "/community/shares/<uuid:share_id>/take-back": "Appellant page",
    "/community/notices": "Joined page",
    "/community/notices/fewer": "Joined page",
    "/community/reports": "Member page",
    "/community/decisions": "Appellant page",
    "/community/decisions/<uuid:decision_id>": "Appellant page",
    "/community/figures": "Member page",
    "/community/settings": "Joined page",
    "/community/settings/profile": "Member page",
    "/community/settings/name": "Member page",
    "/community/settings/notices": "Joined page",
    "/community/settings/channels": "Joined page",
    "/community/settings/hidden": "Member page",
    "/community/settings/export": "Joined page",
    "/community/settings/leave": "Joined page",
    "/community/moderation": "Moderator page",
    "/community/moderation/board": "Moderator page",
    "/community/moderation/threads/<uuid:thread_id>": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/acknowledge": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/events": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/reports": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/hand-over": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/notes": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/decide": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/decide-appeal": "Moderator page",
    "/community/moderation/cases/<uuid:case_id>/<str:what>": "Moderator page",
}
"""Whom each lets in, as `web.community.door.Who` calls them."""


def come_in(persona: Persona, *, appeals_only: bool = False) -> Client:
    """A browser that has a persona's token."""
    client = Client(headers={"Accept-Language": persona.language})
    given = entering._session(persona, timezone.now(), appeals_only=appeals_only)
    client.cookies["community"] = given.token
    return client


def text(client: Client, path: str = "", status: int = 200) -> str:
    """What a page below /community says."""
    answer = client.get(f"/community{path}")
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()
