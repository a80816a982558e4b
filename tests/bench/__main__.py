"""Measure on a throwaway database what must stay quick, and print it as ratios.

Times depend on the machine, ratios of one run hardly do: near 1 means that the cost follows the
work that is due, and not how many patients there are.
"""

import argparse
import os
import sys
import time

import django
from django.core.management import call_command

from dev.environment import ACCOUNT, ROUTINE_NUMBER, TOKEN, settings
from dev.simulator_client import SimulatorClient
from dev.stack import Stack, Trouble

FEW = 1_000


def main(arguments: list[str]) -> int:
    """The command line; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000, help=f"more than {FEW}")
    many: int = parser.parse_args(arguments).patients
    if many <= FEW:
        parser.error(f"--patients must be more than {FEW}")
    began = time.monotonic()
    try:
        # Servers of its own, whatever the environment names: a real database is nothing to fill.
        with (
            Stack.throwaway({}) as stack,
            SimulatorClient.start(
                accounts={ACCOUNT: TOKEN}, senders=[f"{ROUTINE_NUMBER}=100000"]
            ) as twilio,
        ):
            servers = stack.environment()
            os.environ.update(
                settings(
                    twilio=twilio.base_url,
                    database=servers["DATABASE_URL"],
                    redis=servers["REDIS_URL"],
                )
            )
            django.setup()
            call_command("migrate", verbosity=0)
            # Only now, because models can't be imported before.
            from tests.bench.measures import measure

            say(f"{'':34}{'':>26}{'ms':>10}{'':>26}{'ms':>10}{'ratio':>8}")
            for row in measure(FEW, many, twilio):
                say(
                    f"{row.what:<34}{row.one:>26}{row.one_ms:>10.3f}"
                    f"{row.other:>26}{row.other_ms:>10.3f}{row.other_ms / row.one_ms:>8.2f}"
                )
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 2
    say(f"In {time.monotonic() - began:.0f} s.")
    return 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
