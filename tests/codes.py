"""What a patient reads on their phone."""

import re

from messaging.models import Sms


def code_sent(number: str) -> str:
    """The code in the latest text to a number."""
    body = Sms.objects.filter(to=number, dedup_key__startswith="code:").latest("id").body
    (code,) = re.findall(r"(?<![0-9 ])(?: )([0-9]{6})(?![0-9 ])", body)
    return str(code)
