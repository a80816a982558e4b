"""The wall, as the pages have it: below /community nobody is signed in but a persona."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

BELOW = "/community"


class Apart:
    """Takes the session's cookie away from a request to the community, before anything reads it.

    Browsers send it with every request. Without it no code on the way, ours or another's, can load
    the user's session and have a user and a persona in one request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == BELOW or request.path.startswith(f"{BELOW}/"):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)
