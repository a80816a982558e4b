"""Measure on a throwaway database what must stay quick, and print it as ratios.

Times depend on the machine and on what else it does, their ratios less so, and the rows that
Postgres fetched hardly at all: near 1 means that the cost follows the work that is due, and not how
many patients there are.
"""

import argparse
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from dev.stack import Stack, Trouble
from tests.bench import machine, targets
from tests.bench.fleet import Fleet

if TYPE_CHECKING:
    from tests.bench.measures import Cost, Row

FEW = 10_000
HEADING = f"{'':30}{'':>16}{'ms':>9}{'rows':>8}{'':>18}{'ms':>9}{'rows':>8}{'ratio':>8}{'rows':>8}"


def main(arguments: list[str]) -> int:
    """The command line; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=1_000_000, help=f"more than {FEW}")
    parser.add_argument("--posts", type=int, default=1_000_000, help="of the community; 0: none")
    parser.add_argument("--only-posts", action="store_true", help="leave the patients out")
    chosen = parser.parse_args(arguments)
    many: int = chosen.patients
    if many <= FEW:
        parser.error(f"--patients must be more than {FEW}")
    began = time.monotonic()
    try:
        # Servers of its own, whatever the environment names: a real database is nothing to fill.
        with Stack.throwaway({}) as stack, Fleet(stack) as fleet:
            os.environ.update(fleet.environment)
            django.setup()
            call_command("migrate", verbosity=0)
            logging.getLogger("celery").setLevel(logging.WARNING)
            say(machine.described())
            if not chosen.only_posts:
                measure(fleet, many)
            if chosen.posts:
                measure_posts(chosen.posts)
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 2
    say(f"In {time.monotonic() - began:.0f} s.")
    return 0


def measure(fleet: Fleet, many: int) -> None:
    """Print both tables, each line as soon as it is known."""
    # Only now, because models can't be imported before.
    from tests.bench.measures import grown
    from tests.bench.promises import Promises
    from tests.bench.rows import House

    house = House()
    house.grow(FEW)
    promises = Promises(fleet, house)
    promises.with_few()
    for number, row in enumerate(grown(house, FEW, many)):
        if number == 0:
            say(HEADING)
        say(shown(row))
    say("")
    found = []
    say(targets.HEADING)
    for target in promises.with_many():
        found.append(target)
        say(target.line())
    say(targets.summary(found))
    say(f"{machine.load()} Others at work make every figure in ms or a second worse.")


def measure_posts(posts: int) -> None:
    """Print the community's table, each line as soon as it is known."""
    from tests.bench.community_rows import Community
    from tests.bench.peers import Peers

    community = Community()
    community.grow(posts)
    say(f"\nA community of {posts:,} posts.")
    say(targets.HEADING)
    found = []
    for target in Peers(community).measured():
        found.append(target)
        say(target.line())
    say(targets.summary(found))


def shown(row: "Row") -> str:
    """A line of the table."""
    one, other = row.one_cost, row.other_cost
    ratios = f"{other.ms / one.ms:>8.2f}"
    if one.rows and other.rows is not None:
        ratios += f"{other.rows / one.rows:>8.2f}"
    return (
        f"{row.what:<30}{row.one:>16}{one.ms:>9.3f}{rows(one):>8}"
        f"{row.other:>18}{other.ms:>9.3f}{rows(other):>8}{ratios}"
    )


def rows(cost: "Cost") -> str:
    return "" if cost.rows is None else f"{cost.rows:.0f}"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
