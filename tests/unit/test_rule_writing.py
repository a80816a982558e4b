"""Rules of moderators: written, tried, switched on and off, and held from the next post on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry
from accounts.refusals import Conflict, Invalid, NotFound
from community.models import Case, Decision, HouseRule, PostState, RuleState
from community.moderation import rule_book
from community.moderation.rule_trial import try_out
from community.moderation.rule_writing import Wording, switch_off, switch_on, versions, write
from community.rules import Action
from tests.cast import NOW
from tests.community import Circle, as_actor, begin, make_circle

DAY = timedelta(days=1)
HOLD = Wording("cures", Action.HOLD, ("moon bead*",), description="Promises of a cure.")
TEXT = "I found moon beads in the market."


@pytest.fixture
def circle(db) -> Circle:
    return make_circle()


def written(circle: Circle, **changed) -> HouseRule:
    wording = Wording(**{**HOLD.__dict__, **changed})
    return write(circle.owl, wording, as_actor(circle.owl), NOW)


def on(circle: Circle, rule: HouseRule) -> HouseRule:
    return switch_on(rule.id, as_actor(circle.eagle), NOW)


def test_a_rule_holds_from_its_switching_on_and_no_more_after_its_switching_off(circle):
    rule = written(circle)
    assert begin(circle.heron, circle.sleep, TEXT).verdict == PostState.PUBLISHED
    on(circle, rule)
    held = begin(circle.heron, circle.sleep, TEXT)
    assert held.verdict == PostState.PENDING
    assert held.revision.hits[0]["rule"] == "own.cures"
    switch_off(rule.id, as_actor(circle.eagle), NOW)
    assert begin(circle.heron, circle.sleep, TEXT).verdict == PostState.PUBLISHED
    verbs = AuditEntry.objects.filter(subject_id=rule.id).order_by("id")
    assert [row.verb for row in verbs] == ["write_rule", "switch_rule_on", "switch_rule_off"]


def test_versions_are_added_and_one_of_a_rule_is_on(circle):
    first = written(circle)
    second = written(circle, action=Action.BLOCK)
    assert (first.version, second.version) == (1, 2)
    on(circle, first)
    on(circle, second)
    states = {row.version: row.state for row in versions("cures")}
    assert states == {1: RuleState.OFF, 2: RuleState.ON}
    assert begin(circle.heron, circle.sleep, TEXT).verdict == PostState.BLOCKED
    on(circle, first)
    assert begin(circle.heron, circle.sleep, TEXT).verdict == PostState.PENDING
    numbers = HouseRule.objects.filter(switched__isnull=False).values_list("switched", flat=True)
    assert sorted(numbers) == [2, 3]


def test_switching_twice_and_what_is_not_there_are_refused(circle):
    rule = on(circle, written(circle))
    with pytest.raises(Conflict):
        on(circle, rule)
    switch_off(rule.id, as_actor(circle.eagle), NOW)
    with pytest.raises(Conflict):
        switch_off(rule.id, as_actor(circle.eagle), NOW)
    with pytest.raises(NotFound):
        switch_on(circle.owl.id, as_actor(circle.eagle), NOW)


def test_the_database_holds_one_version_on(circle):
    one, two = on(circle, written(circle)), written(circle)
    with pytest.raises(IntegrityError), transaction.atomic():
        HouseRule.objects.filter(id=two.id).update(state=RuleState.ON)
    assert one.version == 1


@pytest.mark.parametrize(("changed", "field"), [
    ({"phrases": ()}, "phrases"),
    ({"phrases": ("good", "~ ~")}, "phrases.1"),
    ({"phrases": ("a ~ b ~ c ~ d ~ e ~ f",)}, "phrases.0"),
    ({"phrases": ("{dose} for sale",)}, "phrases.0"),
    ({"phrases": ("🤷",)}, "phrases.0"),
    ({"unless": ("fine", "maybe?")}, "unless.1"),
    ({"phrases": ("x" * 201,)}, "phrases.0"),
    ({"phrases": ("word",) * 201}, "phrases"),
    ({"languages": ("xx",)}, "languages"),
    ({"key": "Cures!"}, "key"),
    ({"key": "x" * 41}, "key"),
    ({"description": " "}, "description"),
])  # fmt: skip
def test_what_cant_be_read_is_refused_and_named(circle, changed, field):
    with pytest.raises(Invalid) as refused:
        written(circle, **changed)
    assert refused.value.field == field


def decide(circle: Circle, posted, *, adverse: bool, overturned: bool = False) -> None:
    case = Case.objects.create(kind="review", about=posted.post.author, urgency=3, opened_at=NOW,
                               closed_at=NOW, post=posted.post)  # fmt: skip
    Decision.objects.create(
        case=case, on_version=1, by=circle.owl, about=posted.post.author, post=posted.post,
        revision=posted.revision, measures=[], reason="x", adverse=adverse, at=NOW,
        overturned_at=NOW if overturned else None,
    )  # fmt: skip


def test_a_trial_says_what_it_would_have_caught_and_how_much_of_it_wrongly(circle):
    rule = written(circle, unless=("no moon bead*",))
    posts = [begin(circle.heron, circle.sleep, TEXT, now=NOW - n * DAY) for n in range(4)]
    begin(circle.heron, circle.sleep, TEXT, now=NOW - 31 * DAY)
    begin(circle.heron, circle.sleep, "There are no moon beads, sadly.")
    begin(circle.heron, circle.sleep, "I sleep well.")
    split = begin(circle.heron, circle.sleep, "**Mo**on beads, they say.")
    decide(circle, posts[0], adverse=False)
    decide(circle, posts[1], adverse=True)
    decide(circle, posts[2], adverse=True, overturned=True)
    trial = try_out(rule, NOW)
    assert (trial.looked_at, trial.since) == (7, NOW - 30 * DAY)
    assert (trial.caught, trial.wrongly, trial.rightly) == (5, 2, 1)
    assert trial.were == {"published": 5}
    assert trial.examples[0].post_id == split.post.id
    said = {one.post_id: one.decided for one in trial.examples}
    assert [said[post.post.id] for post in posts] == ["wrongly", "rightly", "wrongly", ""]
    assert begin(circle.heron, circle.sleep, TEXT).verdict == PostState.PUBLISHED, "only a trial"


def test_a_trial_is_for_the_languages_of_the_rule(circle):
    rule = written(circle, languages=("pl",))
    begin(circle.heron, circle.sleep, TEXT)
    assert try_out(rule, NOW).caught == 0


def test_posting_goes_through_two_thousand_rules(circle):
    HouseRule.objects.bulk_create(
        HouseRule(
            key=f"rule-{n}", version=1, action="hold", phrases=[f"zebra{n} ~ lion{n}", f"ox{n}"],
            description="One of many.", state=RuleState.ON, written_by=circle.owl, written_at=NOW,
            switched=n + 1, switched_at=NOW,
        )
        for n in range(2000)
    )  # fmt: skip
    assert rule_book.current_book().version == 2000
    free = begin(circle.heron, circle.sleep, "Nothing of that kind.")
    assert free.verdict == PostState.PUBLISHED
    held = begin(circle.heron, circle.sleep, "A zebra1234 and its lion1234.")
    assert held.verdict == PostState.PENDING
    assert {hit["rule"] for hit in held.revision.hits} == {"own.rule-1234"}


def test_two_who_write_and_switch_at_once_take_turns(world):
    circle = make_circle()

    def act(number: int) -> int:
        try:
            rule = write(circle.owl, HOLD, as_actor(circle.owl), NOW)
            return switch_on(rule.id, as_actor(circle.eagle), NOW).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(act, range(8))) == list(range(1, 9))
    assert HouseRule.objects.filter(state=RuleState.ON).count() == 1
    assert HouseRule.objects.order_by("-switched").first().switched == 8
