"""Erasure reaches every column that can hold words, and a new one can't be forgotten."""

import struct
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry, KeptReply
from community.members.leaving import leave
from community.members.traces import INDEXED_WORDS, wipe_traces
from community.models import (
    Case,
    Channel,
    Contact,
    MeasureKind,
    NoticeKind,
    PersonaSession,
    Quiet,
    ReactionKind,
    Report,
    ReportReason,
)
from community.moderation.appeals import appeal
from community.moderation.claiming import add_note
from community.moderation.deciding import Ruling, decide, token_of
from community.moderation.measures import Measure
from community.moderation.reports import Complaint, report_member, report_post
from community.notices.contacts import ask
from community.notices.telling import set_quiet
from community.notices.writing import tell
from community.posts.drafts import save_draft
from community.posts.reacting import react
from messaging import inbound
from messaging.clock import read_clock
from messaging.forgetting import NO_NUMBER, NOBODY, forget_what_ended
from messaging.models import Scope, Sender, Sms
from messaging.states import State
from reminders.health import shared_experiences
from tests.cast import NOW
from tests.community import Circle, answer, as_actor, begin, held, make_circle, wrote
from workers import tasks

# Every column of the community's tables that can hold words. "gone": erasing a member blanks what
# it holds of theirs, or takes the row away; else why nothing of a member's own can be in it.
GONE = {
    *("appeal.answer", "appeal.words", "caseevent.text", "decision.words", "report.words"),
    *("contact.address", "contact.code_digest", "draft.body", "draft.tags", "draft.title"),
    *("duty.number", "duty.test_code", "personasession.digest"),
    *("livetext.body", "livetext.search", "livetext.tags", "livetext.title"),
    *("livethread.tags", "livetag.tag", "livetext.language"),
    *("persona.condition", "persona.pseudonym", "persona.pseudonym_key", "persona.tags"),
    *("revision.body", "revision.hits", "revision.tags", "revision.title"),
    *("notice.facts", "notice.kind", "notice.once", "reaction.kind", "quiet.kind"),
}
NONE_OF_THEIRS = {
    "one of some": {
        *("bond.kind", "case.kind", "caseevent.kind", "contact.channel", "persona.language"),
        *("persona.role", "persona.time_zone", "post.state", "report.outcome", "report.reason"),
        *("revision.language", "revision.verdict", "sanction.kind", "houserule.state"),
    },
    "ids, kinds and instants": {"caseevent.facts", "decision.before", "decision.measures"},
    "the house's": {
        *("decision.reason", "space.about", "space.key", "space.title", "houserule.action"),
        *("houserule.description", "houserule.key", "houserule.languages"),
        *("houserule.phrases", "houserule.unless"),
    },
    "by it two texts can be compared, and none can be read": {"revision.digest"},
}


# Of those of GONE that an index has: what no word can be read from.
NO_WORDS = {
    *("livetag.tag", "notice.once", "quiet.kind", "reaction.kind", "personasession.digest"),
    "livetext.language",
}
LONG = " ".join(sha256(bytes([number])).hexdigest()[:12] for number in range(250))
"""Too long for a row, and not to be compressed: Postgres keeps it apart (TOAST)."""


def test_every_column_that_can_hold_words_is_known(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name LIKE 'community\\_%'"
            " AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'tsvector', 'ARRAY')"
        )
        found = {f"{table.removeprefix('community_')}.{name}" for table, name in cursor.fetchall()}
    assert found == GONE.union(*NONE_OF_THEIRS.values())


def write_everywhere(circle: Circle, mark: str) -> Case:
    """Let Heron's words, and words about Heron, be wherever they can be, each with a mark."""
    heron, wren, owl, lark = circle.heron, circle.wren, circle.owl, circle.lark
    heron.tags, heron.condition = ["sleep"], "pv"
    heron.save()
    post = begin(heron, circle.sleep, f"{mark} one", f"{mark} title", tags=("sleep",)).post
    other = begin(wren, circle.sleep).post
    react(heron.id, other.id, {ReactionKind.HUGS}, as_actor(heron), NOW)
    answer(heron, other.thread, f"I want to kill myself, {mark}")
    save_draft(heron.id, wrote(f"{mark} draft {LONG}"), NOW, thread_id=other.thread_id)
    told = Complaint(ReportReason.UNKIND, f"{mark} says so")
    report_post(wren.id, post.id, told, as_actor(wren), NOW)
    report_member(heron.id, wren.id, told, as_actor(heron), NOW)
    case = Case.objects.get(post=post)
    add_note(lark, case.id, f"{mark} again", as_actor(lark), NOW)
    mask = Measure(MeasureKind.MASK, title="Masked", body=f"{mark} masked")
    post.refresh_from_db()
    case.refresh_from_db()
    ruling = Ruling((mask,), post.published_id, "unkind", f"{mark}, for you")
    decision = decide(owl, case.id, token_of(case, post), ruling, as_actor(owl), NOW)
    appeal(heron.id, decision.id, f"{mark} appeals", as_actor(heron), NOW)
    tell(heron, NoticeKind.APPROVED, "once", NOW, post=post)
    Contact.objects.create(
        persona=heron, channel=Channel.MAIL, address=f"{mark}@example.org", code_digest="1"
    )
    PersonaSession.objects.create(
        digest="1" * 64, persona=heron, expires_at=NOW + timedelta(hours=1)
    )
    KeptReply.objects.create(owner_id=heron.id, route="r", key="k", body_digest="1" * 64)
    set_quiet(heron, [NoticeKind.REPLY], as_actor(heron))
    ask(heron, Channel.SMS, PHONE, 1, as_actor(heron), NOW)
    for number, state in enumerate((State.DELIVERED, State.SUPPRESSED, State.UNKNOWN), 1):
        Sms.objects.create(
            scope=Scope.COMMUNITY, owner_id=heron.id, about_id=heron.id, to=PHONE,
            dedup_key=f"news:{heron.id}:{number}", body=f"B{number}", body_digest=f"d{number}",
            segments=1,
            state=state, queued_at=NOW, available_at=NOW, expires_at=NOW + timedelta(hours=1),
            attempt=1, lease_until=NOW, sender=Sender.objects.get(scope=Scope.COMMUNITY),
        )  # fmt: skip
    for scope in (Scope.COMMUNITY, Scope.MODERATORS):
        sender = Sender.objects.get(scope=scope)
        inbound.store(sender, f"SM{scope}", PHONE, f"{mark} texts back", NOW)
    return case


PHONE = "+447700900777"


def test_a_member_whose_words_are_everywhere_is_erased_from_everywhere(cast):
    circle, mark = make_circle(), "quillon"
    heron = circle.heron
    case = write_everywhere(circle, mark)
    assert set(held(mark)) == {
        *("community_appeal", "community_caseevent", "community_contact", "community_decision"),
        *("community_draft", "community_livetext", "community_report", "community_revision"),
    }, "and not among what was texted back, which nobody reads"
    assert held(PHONE).keys() == {"community_contact", "messaging_sms", "messaging_inboundsms"}
    leave(heron.id, erase=True, actor=as_actor(heron), now=NOW)
    assert held(mark) == {}
    assert held("Heron") == {}
    assert held(str(heron.id)).keys() <= {
        *("accounts_auditentry", "community_persona", "community_post", "community_revision"),
        *("community_thread", "community_case", "community_caseevent", "community_decision"),
        *("community_report", "community_appeal"),
    }
    assert not Quiet.objects.exists()
    # Who had which phone isn't to be found; what is still under way is settled first.
    under_way = Sms.objects.get(to=PHONE)
    assert (under_way.state, under_way.body) == (State.UNKNOWN, "B3")
    assert set(Sms.objects.values_list("owner_id", "about_id")) == {(NOBODY, NOBODY)}
    assert Sms.objects.filter(to=NO_NUMBER, body="").count() == 3
    Sms.objects.update(state=State.EXPIRED, state_at=NOW)
    forget_what_ended(NOW + timedelta(hours=23))
    assert Sms.objects.filter(to=PHONE).exists()
    forget_what_ended(NOW + timedelta(hours=25))
    assert held(PHONE).keys() == {"messaging_inboundsms"}, "a phone that leads to nobody"
    # The cry for help stays a person's to close.
    assert Case.objects.filter(crisis=True, about=heron, closed_at__isnull=True).exists()
    assert not Report.objects.filter(case=case, outcome="").exists()


def test_every_index_over_words_is_known(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, attname FROM pg_index JOIN pg_class ON pg_class.oid = indrelid"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)"
            " WHERE relname LIKE 'community\\_%'"
        )
        found = {f"{table.removeprefix('community_')}.{name}" for table, name in cursor.fetchall()}
    rebuilt = {f"{table.removeprefix('community_')}.{name}" for table, name in INDEXED_WORDS}
    assert found & GONE == NO_WORDS | rebuilt


def holding(*words: str) -> set[str]:
    """The files of the database, by what is in them (tables, TOAST, indexes, statistics), in which
    a word stands where Postgres reads: not in the free space of a page."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute(
            "SELECT coalesce(owner.relname || ' (TOAST)', file.relname),"
            " pg_read_binary_file(pg_relation_filepath(file.oid))"
            " FROM pg_class file LEFT JOIN pg_class owner ON owner.reltoastrelid = file.oid"
            " WHERE file.relkind IN ('r', 'i', 't') AND NOT file.relisshared"
            " AND pg_relation_filepath(file.oid) IS NOT NULL"
        )
        for name, content in cursor.fetchall():
            for start in range(0, len(content), PAGE):
                page = bytes(content[start : start + PAGE])
                lower, upper = struct.unpack_from("<HH", page, FREE_SPACE)
                if any(word.encode() in page[:lower] + page[upper:] for word in words):
                    found.add(name)
    return found


PAGE, FREE_SPACE = 8192, 12
"""Of Postgres's pages: their size, and where their head says from where to where nothing is."""


def test_erased_words_are_in_no_file_of_the_database(world):
    circle, mark = make_circle(), "quillon"
    shared, ada, actor = uuid4(), world.cast.ada, world.cast.actor
    with transaction.atomic():
        write_everywhere(circle, mark)
        shared_experiences.receive(shared, ada.id, mark, f"{mark} shared", actor, NOW)
    words = (mark, "Heron", LONG[-12:])
    with connection.cursor() as cursor:
        # As Postgres does it by itself, some day.
        cursor.execute("ANALYZE")
        cursor.execute("SELECT gin_clean_pending_list('live_search')")
    assert holding(*words) >= {
        *("community_livetext", "live_search", "contact_by_address", "community_draft (TOAST)"),
        *("community_revision", "community_persona", "pg_statistic"),
        "reminders_sharedexperience",
    }
    now = read_clock()
    assert not wipe_traces(now), "nobody has left"
    leave(circle.heron.id, erase=True, actor=as_actor(circle.heron), now=now)
    shared_experiences.take_back(shared, actor, now)
    assert "live_search" in holding(mark)
    with connection.cursor() as cursor:
        # As a run that was killed leaves it.
        half = "CREATE UNIQUE INDEX CONCURRENTLY live_search_ccnew ON community_livetext (language)"
        begin(circle.wren, circle.sleep)
        with pytest.raises(IntegrityError):
            cursor.execute(half)
    tasks.wipe_traces.run()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchone() == (0,)
    assert holding(*words) == set()
    assert not wipe_traces(now), "once a day"
    assert AuditEntry.objects.filter(verb="wipe_traces").count() == 1
