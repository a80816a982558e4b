"""A browser, and the service to look at."""

import os
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDTHS = {"phone": (390, 844), "desktop": (1280, 800)}


class Threads(ThreadingMixIn, WSGIServer):
    """A browser asks for many things at once."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the service, in a thread: for pages that need no database."""
    server = make_server(
        "127.0.0.1", 0, get_wsgi_application(), server_class=Threads, handler_class=Quiet
    )
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# Not for the whole session: while a browser runs, Django takes this thread for an event loop's, and
# refuses the database to other modules' tests.
@pytest.fixture(scope="module")
def browser(django_db_setup) -> Iterator[Browser]:
    # For the same reason connections of before are out of reach from here on, and one that is open
    # keeps a test's own database from being made.
    connections.close_all()
    if not Path(CHROMIUM).exists():
        # Python and make are all that `make test` may need; where it counts, .ci/run installs it.
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent("There is no Chromium here: install it, or name it in CHROMIUM.")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # There is no event loop of ours.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(params=list(WIDTHS))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page as wide as a phone's, and then as a desk's."""
    width, height = WIDTHS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()
