"""The page of the link in an e-mail: one tap, and no more of them."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.refusals import NotFound
from community.notices.contacts import language_of_link, turn_off_by_link
from community.notices.wording import words


@login_not_required
@csrf_exempt  # mail programs post it themselves (RFC 8058); the link is signed, and only turns off
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def turn_off(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, for mail programs follow links by themselves; POST turns off."""
    try:
        language = language_of_link(token)
        if request.method == "POST":
            turn_off_by_link(token)
    except NotFound:
        said = {**words("en")["off"], "language": "en", "good": False}
        return render(request, "web/turning_off.html", {"said": said}, status=404)
    said = {**words(language)["off"], "language": language, "good": True}
    return render(request, "web/turning_off.html", {"said": said, "off": request.method == "POST"})
