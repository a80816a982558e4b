"""The demo: everything here with made-up patients, `python -m dev.demo`, till Ctrl-C; or played
through and judged, `python -m dev.demo --check`."""

import dev.stack  # before all else: it turns an old Python away with one line  # noqa: F401, I001

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from dev.demo_check import check
from dev.demo_processes import SIMULATOR_PORT, WEB_PORT, Died, Household, choose_port, connect
from dev.folders import home
from dev.stack import Stack, Trouble

if TYPE_CHECKING:
    from dev.demo_answers import Phones

_ENDINGS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_LOOK_EVERY = 1.0
_FIELD = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"{}\"])'"


def run(environ: Mapping[str, str]) -> int:
    """Run the demo till a signal ends it; answers the exit status."""
    begun = time.monotonic()
    web = choose_port("PORT", WEB_PORT, environ)
    twilio = choose_port("SIM_PORT", SIMULATOR_PORT, environ, but=web)
    for name, port, usual in (("PORT", web, WEB_PORT), ("SIM_PORT", twilio, SIMULATOR_PORT)):
        if name not in environ and port != usual:
            _say(f"Port {usual} is taken, so {port} takes its place; {name}=... asks for another.")
    _say("Starting Postgres and Valkey ...")
    with Stack.kept(environ) as stack:
        servers = stack.environment()
        connect(servers["DATABASE_URL"]).close()
        with Household(
            servers["DATABASE_URL"],
            servers["REDIS_URL"],
            home(environ) / "kept" / "logs",
            web_port=web,
            simulator_port=twilio,
        ) as house:
            _serve(house)
            # From here to the end: an impatient second Ctrl-C must not leave things half stopped.
            signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
            phones = _welcome(house, begun)
            _wait(house, _own_servers(stack, environ), phones)
            _say("\nEnding it all ...")
    return 0


def _serve(house: Household) -> None:
    """Prepare the database and start every process."""
    # The models can be imported only when Django is set up.
    from dev.in_process import migrate, set_up_django

    set_up_django(house.settings(), house.folder / "demo.log")
    from django.utils import timezone

    from dev import demo_people

    demo_people.demand_ours()
    if migrate():
        _say("The database's tables are up to date now.")
    _say("Starting web, workers, beat and the simulator of Twilio ...")
    house.start_web()
    house.start_worker("routine")
    house.start_worker("urgent")
    house.start_beat()
    filled = demo_people.fill(timezone.now())
    if filled:
        _say(f"Two clinics are filled in, with {filled} made-up patients.")
    house.start_simulator(ledger=house.folder.parent / "twilio.jsonl")
    house.wait_until_ready()


def _welcome(house: Household, begun: float) -> "Phones":
    """Enrol a few patients whose hour is now, say what there is to see, and let their texts go.

    Answers the phones of all, but of the first of these, who is for the visitor to play."""
    from django.utils import timezone

    from accounts import audit
    from dev.demo_answers import Phones
    from dev.demo_community import what_to_try
    from dev.demo_people import PASSWORD, PLACES, enrol_some_for_now
    from reminders.patients.signing_in import invite
    from reminders.planning.steps import plan_doses

    fresh = enrol_some_for_now(timezone.now())
    welcome = invite(fresh[0].id, audit.Actor("demo"), timezone.now())
    phones = Phones(house.simulator, kept=[fresh[0].number])
    seconds = time.monotonic() - begun
    api = f"{house.web_url}/api/v1"
    first, second = PLACES
    in_three_weeks = timezone.localdate(timezone=fresh[0].zone) + timedelta(weeks=3)
    _say(
        f"""
Ready after {seconds:.1f} seconds.

  Dosecircle              {house.web_url}/
  The care team's pages   {house.web_url}/team
  The API, to try out     {house.web_url}/api/docs
  The patients' phones    {house.simulator_url}/

Sign in (every password is "{PASSWORD}"):
  {first.name:22}  clinician@{first.domain}, coordinator@{first.domain}, admin@{first.domain}
  {second.name:22}  clinician@{second.domain}, coordinator@{second.domain}, ...

{len(fresh)} patients were enrolled a moment ago, whose hour is now or in a minute or two. See
their texts arrive on their phones. The first is yours to answer; the others do it by themselves:"""
    )
    for patient in fresh:
        _say(f"  {patient.number:14} {patient.hour:%H:%M} in {patient.time_zone:20} {patient.name}")
    _say(
        f"""
Answer as {fresh[0].name} would:

  1. Open {house.simulator_url}/#{fresh[0].number}
  2. Reply "done" when the text is there: our answer comes back within seconds.
  3. Then write "fever since yesterday": the safety text comes, and the staff on duty are paged
     ({PLACES[0].numbers[-1]}).
  4. Sign in at {house.web_url}/team as coordinator@{first.domain} with the password above:
     it is on top of the worklist. Take it. As clinician@{first.domain} open the patient and
     change the interval: you see all that follows before you confirm it.

The same over the API, as programs do it:

  TOKEN=$(curl -s {api}/sign-in -H 'Content-Type: application/json' \\
    -d '{{"email": "clinician@{first.domain}", "password": "{PASSWORD}"}}' \\
    | {_FIELD.format("token")})
  curl -s "{api}/worklist?page_size=5" -H "Authorization: Bearer $TOKEN"
  curl -s "{api}/patients/{fresh[0].id}/answers" -H "Authorization: Bearer $TOKEN"

Or sign in as {fresh[0].name} at {house.web_url}/me with {fresh[0].number}. The code comes
to the same phone; the welcome code, which the clinic would give by hand, is {welcome.code}.

Then look at whom the clinic reminds, and give the same patient a dose every three weeks (the answer
shows the text that tells them, or why there is none):

  curl -s "{api}/patients?status=running" -H "Authorization: Bearer $TOKEN"
  SCHEDULE={api}/patients/{fresh[0].id}/schedule
  ETAG=$(curl -s $SCHEDULE -H "Authorization: Bearer $TOKEN" \\
    | {_FIELD.format("etag")})
  curl -s $SCHEDULE/change -H "Authorization: Bearer $TOKEN" -H "If-Match: $ETAG" \\
    -H 'Content-Type: application/json' \\
    -d '{{"interval_days": 21, "starts_on": "{in_three_weeks}"}}'

{what_to_try(house.web_url, house.simulator_url, PASSWORD, _FIELD, timezone.now())}
Logs: {house.folder}
Press Ctrl-C to end it all."""
    )
    # The workers do it too, up to ten seconds later.
    plan_doses(timezone.now())
    return phones


def _wait(house: Household, servers: dict[str, int], phones: "Phones") -> None:
    """Return when a signal asks for the end (they are blocked); people answer meanwhile. Raises
    Died if a process ended."""
    while signal.sigtimedwait(_ENDINGS, _LOOK_EVERY) is None:
        house.demand_alive()
        # If the simulator is gone, the next look at the processes says so.
        with suppress(requests.RequestException):
            phones.look(time.monotonic())
        for name, pid in servers.items():
            # Only looked at, not reaped: its pid stays ours, for its own launcher to stop.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise Died(f"{name} has ended. Its log: {home() / 'kept' / name.lower() / 'log'}")


def _own_servers(stack: Stack, environ: Mapping[str, str]) -> dict[str, int]:
    """Process ids of the servers that are ours, by name."""
    servers = {}
    if not environ.get("DATABASE_URL"):
        servers["Postgres"] = stack.postgres.pid
    if not environ.get("REDIS_URL"):
        servers["Valkey"] = stack.valkey.pid
    return servers


def _leave(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    """The command line. Answers 0 if all was right, 1 if it wasn't or a process died, 2 after a
    line of Trouble, 130 if it was cut short."""
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="play it through and judge it")
    chosen = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return check(os.environ) if chosen.check else run(os.environ)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1 if isinstance(trouble, Died) else 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
