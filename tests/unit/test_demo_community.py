"""The demo's community is alive: posts in several languages, and something in every state."""

from django.contrib.auth.hashers import make_password

from community.models import Case, LiveText, LiveThread, Persona, Post
from dev.demo_community import fill_community
from tests.cast import NOW


def test_it_is_filled_by_the_products_own_verbs(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    written = fill_community(make_password("demo"), NOW)
    assert written >= 150
    assert LiveText.objects.count() >= 135
    assert set(LiveText.objects.values_list("language", flat=True)) == {
        "en", "cy", "es", "fr", "de", "pl",
    }  # fmt: skip
    assert set(LiveThread.objects.values_list("space__key", flat=True)) == {
        "side_effects", "injections", "sleep", "mood", "work", "newly_diagnosed", "anything",
    }  # fmt: skip
    assert not Post.objects.filter(author__pseudonym="Cheap Meds", state="published").exists()
    assert Persona.objects.filter(role="lead").count() == 1
    assert set(Post.objects.values_list("state", flat=True)) >= {
        "published", "pending", "blocked", "changes_requested", "rejected", "hidden", "removed",
    }  # fmt: skip
    open_ones = Case.objects.filter(closed_at__isnull=True)
    assert set(open_ones.values_list("kind", flat=True)) == {
        "crisis", "report", "review", "appeal",
    }  # fmt: skip
