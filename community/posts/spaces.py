"""The spaces: which there are is the house's to say (spaces.toml)."""

import tomllib
from pathlib import Path

from django.db import transaction

from accounts import audit
from community.models import Space

FILE = Path(__file__).with_name("spaces.toml")


def set_up_spaces(actor: audit.Actor) -> int:
    """Make the spaces be what spaces.toml says; answers how many are new. One that the file no
    longer has is closed: what was written in it stays to be read."""
    wanted = tomllib.loads(FILE.read_text("utf-8"))
    with transaction.atomic():
        known = {space.key: space for space in Space.objects.select_for_update()}
        for position, (key, words) in enumerate(wanted.items()):
            space = known.get(key) or Space(key=key)
            space.title, space.about = words["title"], words["about"]
            space.position, space.closed = position, False
            space.save()
        Space.objects.exclude(key__in=wanted).update(closed=True)
        new = sorted(set(wanted) - set(known))
        audit.record(actor, "set_up_spaces", clinic_id=None, subject_id=None, new=new)
    return len(new)
