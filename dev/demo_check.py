"""`make demo CHECK=1`: the main job, unattended, judged by what the simulator received.

Two halves, each with a database, a web process and a simulator of its own, because one lives by the
real clock and the other by a played one. The live half's minute comes while the story is played.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

from dev.comparison import Judgement, judge, table
from dev.demo_processes import Household, connect
from dev.expectation import expect
from dev.fates import FatesJudgement, fates_table, judge_fates
from dev.live_scene import Finding, LiveScene
from dev.stack import Stack
from dev.story import BEGINS, CLINIC, CLINIC_PHONE, DOMAIN, ENDS, PEOPLE, WEEKS


def check(environ: Mapping[str, str]) -> int:
    """Play it through; answers the exit status: 0 only if all was right."""
    # A Redis that others use would hand our ticks to their workers; a Postgres has room for both.
    named = {name: value for name, value in environ.items() if name == "DATABASE_URL"}
    _say("Starting Postgres and Valkey ...")
    with (
        TemporaryDirectory(prefix="dosecircle-check-") as folder,
        Stack.throwaway(named) as stack,
        _databases(stack.environment()["DATABASE_URL"]) as (live_url, story_url),
    ):
        servers, logs = stack.environment(), Path(folder)
        with (
            Household(live_url, servers["REDIS_URL"], logs / "live") as live,
            Household(story_url, servers["REDIS_URL"], logs / "story") as story,
        ):
            return _play_both(servers["DATABASE_URL"], live, story)


def _play_both(server: str, live: Household, story: Household) -> int:
    # The models can be imported only when Django is set up.
    from dev.in_process import close_connections, migrate, set_up_django

    set_up_django(story.settings(), story.folder / "check.log")
    from dev.demo_people import PASSWORD, add_senders, make_clinic

    migrate()
    add_senders()
    _, clinician = make_clinic(CLINIC, DOMAIN, CLINIC_PHONE, "Europe/London")
    close_connections()
    _copy(server, story.database, live.database)
    _say("Starting web, workers and beat, and two simulators of Twilio ...")
    for house in (live, story):
        house.start_web()
    live.start_worker("routine")
    live.start_worker("urgent")
    live.start_beat()
    for house in (live, story):
        house.start_simulator(deliver_after=0.02)
        house.wait_until_ready()

    _say("Live: five people enrol through the API, and four are due at the next minute ...")
    scene = LiveScene(live, clinician.email or "", PASSWORD)
    scene.begin()
    _say(f"Meanwhile the story: {len(PEOPLE)} people, {WEEKS} weeks, instant by instant ...")
    judgement, fates = _play_story(story, live)
    _say("Live: what came of it ...")
    scene.end()
    live.demand_alive()
    return _conclude(judgement, fates, scene.findings)


def _play_story(story: Household, live: Household) -> tuple[Judgement, FatesJudgement]:
    from dev.playing import Player

    expected = {person: expect(person, ENDS) for person in PEOPLE}
    player = Player(story.simulator, DOMAIN, expected, BEGINS)

    def report(day: datetime) -> None:
        live.demand_alive()
        story.demand_alive()
        weeks = (day - BEGINS).days // 7
        if weeks % 4 == 0:
            _say(f"  {day:%d %b %Y}: {weeks} weeks played")

    player.play(ENDS, report)
    player.look_back()
    judgement = judge(expected, story.simulator.ledger()["messages"])
    judgement.beyond += player.problems
    return judgement, judge_fates(expected, player.fates(), ENDS.date(), player.unlisted())


def _conclude(judgement: Judgement, fates: FatesJudgement, findings: Sequence[Finding]) -> int:
    _say("\n" + table(judgement) + "\n\nWhat became of each dose:\n\n" + fates_table(fates) + "\n")
    for problem in (*judgement.beyond, *fates.differences):
        _say(f"WRONG  {problem}")
    verdicts = judgement.verdicts
    expected = sum(verdict.expected for verdict in verdicts)
    missing = sum(verdict.missing for verdict in verdicts)
    twice = sum(verdict.twice for verdict in verdicts)
    wrong = sum(verdict.wrong for verdict in verdicts)
    _say(
        f"{'ok   ' if judgement.right else 'WRONG'}  {WEEKS} weeks: {expected} texts expected, "
        f"{sum(verdict.received for verdict in verdicts)} received; {missing} missing, "
        f"{twice} twice, {wrong} wrong."
    )
    due = sum(counts.total() for counts in fates.counts.values())
    _say(
        f"{'WRONG' if fates.differences else 'ok   '}  {due} doses fell due: each ended as its "
        "person's answer has it, and each missed one was on the worklist."
    )
    for finding in findings:
        _say(f"{'WRONG' if finding.wrong else 'ok   '}  {finding.what}")
        if finding.wrong:
            _say(f"       {finding.wrong}")
    wrong_live = not findings or any(finding.wrong for finding in findings)
    if judgement.right and not fates.differences and not wrong_live:
        _say("\nAll right.")
        return 0
    _say("\nNot all right: see above.")
    return 1


# -- databases --------------------------------------------------------------------------------


@contextmanager
def _databases(server: str) -> Iterator[tuple[str, str]]:
    """Addresses of two databases beside the one of an address: the first is to be made by `_copy`,
    the second is there and empty. Both are deleted at the end."""
    names = [f"check_{half}_{uuid4().hex}" for half in ("live", "story")]
    _ask(server, f'CREATE DATABASE "{names[1]}"')
    try:
        yield _named(server, names[0]), _named(server, names[1])
    finally:
        for name in names:
            _ask(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _copy(server: str, source: str, copy: str) -> None:
    """Make a database that is as another one, in which nobody is."""
    names = [urlsplit(url).path[1:] for url in (copy, source)]
    _ask(server, 'CREATE DATABASE "{}" TEMPLATE "{}"'.format(*names))


def _named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def _ask(url: str, statement: str) -> None:
    with connect(url) as server:
        server.execute(statement.encode())


def _say(line: str) -> None:
    print(line, flush=True)
