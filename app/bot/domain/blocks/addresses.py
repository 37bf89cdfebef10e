"""Web addresses that Discord takes: it refuses the whole message when one of them is wrong."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit


def checked_address(address: str, schemes: Sequence[str], limit: int) -> str | None:
    """Return what is wrong with an address and how to put it right; None when it is fine."""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)
    if any(letter.isspace() or not letter.isprintable() for letter in address):
        return "the address must not contain spaces or line breaks; remove them, or write them as %20"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no web address; check the host and the port"
    if parts.scheme not in schemes or not host:
        return f"the address must start with {allowed} and name a host"
    if len(address) > limit:
        return f"the address is longer than Discord's {limit} characters; use a shorter one"
    return None


def is_bare_host(address: str) -> bool:
    """Whether the host is a single name such as `nas` or `localhost`: Discord makes no link of those."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return "." not in host.rstrip(".")
