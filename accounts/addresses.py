"""Where requests come from."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings


def address(meta: Mapping[str, Any]) -> str:
    """Where a request comes from, as far as attempts are counted. meta: of the request.

    Each trusted proxy adds who it got the request from at the end of X-Forwarded-For; what stands
    before those is anybody's claim. Of IPv6 the network counts, for one house has many addresses.
    """
    hops = [hop.strip() for hop in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    proxies = settings.TRUSTED_PROXIES
    told = hops[-proxies] if 0 < proxies <= len(hops) else meta.get("REMOTE_ADDR", "")
    try:
        found = ip_address(told)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found)
