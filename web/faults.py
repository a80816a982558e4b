"""Pages for people who came to a wrong address, or met a fault of ours."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

WORDS = {
    403: (
        "That didn't work",
        "This page was open for too long, or your browser keeps no cookies. Go back, load it "
        "again, and try once more.",
    ),
    400: (
        "That didn't work",
        "Your browser sent something that we can't read. Go back and try it again.",
    ),
    404: (
        "There is no such page",
        "The address may be mistyped, or the page may have moved.",
    ),
    500: (
        "Something went wrong on our side",
        "It is written down, and somebody will look at it. Please try again in a few minutes.",
    ),
}


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the proof that it is one of ours."""
    return page(request, 403)


def page(request: HttpRequest, status: int) -> HttpResponse:
    """A page that says what happened, and leads back."""
    title, words = WORDS[status]
    return render(request, "web/fault.html", {"title": title, "words": words}, status=status)
