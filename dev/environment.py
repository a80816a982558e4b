"""The demo's and the tests' settings: what a real installation sets in its environment.

`python -m dev.environment -- COMMAND` runs a command with them, for checks that need settings but
no server.
"""

import os
import sys

ACCOUNT = "AC" + "0d05ec1c1e" * 3 + "0d"
TOKEN = "the-simulators-token"  # noqa: S105 - only the simulator knows it
ROUTINE_NUMBER = "+15005550006"
URGENT_NUMBER = "+15005550009"
STAFF_NUMBER = "+15005550012"
MODERATORS_NUMBER = "+15005550013"
COMMUNITY_NUMBER = "+15005550014"
NUMBERS = (ROUTINE_NUMBER, URGENT_NUMBER, STAFF_NUMBER, MODERATORS_NUMBER, COMMUNITY_NUMBER)
"""All that we send from, each for a scope and lane of its own."""


def settings(
    *,
    web: str = "http://127.0.0.1:8000",
    twilio: str = "http://127.0.0.1:8001",
    database: str = "postgres://nobody@localhost/none",
    redis: str = "redis://localhost/0",
) -> dict[str, str]:
    """The environment of a product process in the demo: addresses of web, simulator, servers."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "the demo's key: nothing here is secret",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "PUBLIC_URL": web,
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "TWILIO_ACCOUNTS": f"{ACCOUNT}={TOKEN}",
        "TWILIO_BASE_URL": twilio,
        # The simulator's list doesn't lag unless a test asks it to.
        "TWILIO_QUIET_SECONDS": "2",
    }


if __name__ == "__main__":
    command = sys.argv[sys.argv.index("--") + 1 :]
    os.execvpe(command[0], command, settings() | os.environ)  # noqa: S606 - no shell is the point
