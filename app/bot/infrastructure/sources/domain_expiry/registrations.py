"""What registries tell of a domain: by RDAP, else by WHOIS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.network.connections import ConnectionFailedError, open_stream
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.network.http_requests import Request, RequestFailedError, send
from app.shared.jmespaths import PathError, search

_LARGEST_BYTES = 2_000_000
_LARGEST_WHOIS_BYTES = 64 * 1024
_WHOIS_PORT = 43
_REFERRALS = 3
_TEXT_CHARACTERS = 100
_ENDS = re.compile(
    r"^\s*(?:\[expires on\]|(?:registry expiry date|registrar registration expiration date|expiry date|"
    r"expiration date|expiration time|expire date|expires on|expires|expire|paid-till|renewal date|valid until|"
    r"validity|domain expires|domain expiration date|record expires on)\s*[.:]+)\s*(?P<value>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_REGISTRAR = re.compile(r"^\s*(?:registrar|sponsoring registrar|registrar name)\s*:\s*(?P<value>\S.*)$", re.I | re.M)
_REFERRAL = re.compile(r"^\s*(?:refer|whois)\s*:\s*(?P<value>[\w.-]+)\s*$", re.I | re.M)
_FREE = re.compile(
    r"^\s*(?:no match\b|not found\b|no entries found|no data found|domain not found|no object found|status:\s*(?:free|"
    r"available)\b|.{0,100}\bis (?:free|available for registration)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_FORMATS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y.%m.%d", "%Y.%m.%d %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y%m%d"),
    *("%d-%b-%Y", "%d-%b-%Y %H:%M:%S", "%d-%m-%Y", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"),
    *("%B %d %Y", "%b %d %Y", "%a %b %d %Y", "%a %b %d %H:%M:%S %Y"),
)
"""How registries write dates besides ISO 8601; the day stands before the month where both are numbers."""


class NoAnswerFromRegistryError(HomelabError):
    """A registry gave no answer; the text says which of its services, and why."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered domain, or one that is not. `ends` is None where the registry does not tell."""

    registered: bool
    ends: datetime | None = None
    registrar: str = ""
    states: tuple[str, ...] = ()
    told_by: str = ""


async def fetch_json(session: aiohttp.ClientSession, url: URL) -> tuple[int, Any]:
    """Status and JSON of an address; the JSON is None where there is none. Raises RequestFailedError."""
    accepted = {"Accept": "application/rdap+json, application/json"}
    async with send(session, Request("GET", url, accepted)) as answer:
        content, complete = await answer.read(_LARGEST_BYTES)
    try:
        return answer.status, json.loads(content) if complete else None
    except (ValueError, RecursionError):
        return answer.status, None


def rdap_servers(bootstrap: Any) -> dict[str, str]:
    """Servers by top-level domain, of IANA's bootstrap file (RFC 9224); HTTPS where there is a choice."""
    found: dict[str, str] = {}
    services = bootstrap.get("services") if isinstance(bootstrap, Mapping) else None
    for service in services if isinstance(services, list) else []:
        try:
            names, servers = service
            server = min((str(one) for one in servers), key=lambda one: not one.startswith("https:"))
            found |= {str(name).casefold(): server for name in names}
        except (ValueError, TypeError):
            continue
    return found


async def ask_rdap(session: aiohttp.ClientSession, server: str, domain: str) -> Registration:
    """Return what a registry tells by RDAP (RFC 9083). Raises NoAnswerFromRegistryError."""
    try:
        status, found = await fetch_json(session, URL(server.rstrip("/") + "/") / "domain" / domain)
    except (RequestFailedError, ValueError) as error:
        raise NoAnswerFromRegistryError(f"RDAP: {error}") from None
    if status == 404:
        return Registration(False, told_by="RDAP")
    if status != 200 or not isinstance(found, Mapping):
        raise NoAnswerFromRegistryError(f"RDAP: answered {status}" if status != 200 else "RDAP: the answer is not JSON")
    ends = _find(found, "events[?eventAction=='expiration'] | [0].eventDate")
    names = _find(found, "entities[?contains(roles || `[]`, 'registrar')] | [0].vcardArray[1][?[0]=='fn'] | [0][3]")
    states = _find(found, "status")
    return Registration(
        True,
        parse_date(ends) if isinstance(ends, str) else None,
        _text(names),
        tuple(_text(state) for state in states[:20]) if isinstance(states, list) else (),
        "RDAP",
    )


async def ask_whois(server: str, domain: str) -> Registration:
    """Return what a registry tells by WHOIS (RFC 3912), over the servers that one refers to.

    Raises NoAnswerFromRegistryError.
    """
    asked: set[str] = set()
    while True:
        asked.add(server)
        text = await _whois(server, domain)
        ends = next(_dates(text), None)
        if ends is not None:
            registrar = _REGISTRAR.search(text)
            return Registration(True, ends, _text(registrar["value"]) if registrar else "", told_by="WHOIS")
        referral = _REFERRAL.search(text)
        if referral is None or referral["value"] in asked or len(asked) > _REFERRALS:
            break
        server = referral["value"]
    if _FREE.search(text):
        return Registration(False, told_by="WHOIS")
    if not text.strip():
        raise NoAnswerFromRegistryError("WHOIS: the answer is empty")
    return Registration(True, told_by="WHOIS")


async def _whois(server: str, domain: str) -> str:
    host, _, port = server.partition(":")
    try:
        async with open_stream(host, int(port or _WHOIS_PORT)) as stream:
            stream.writer.write(f"{domain}\r\n".encode())
            await stream.writer.drain()
            text = b""
            while len(text) < _LARGEST_WHOIS_BYTES and (chunk := await stream.reader.read(4_096)):
                text += chunk
    except ConnectionFailedError as error:
        raise NoAnswerFromRegistryError(f"WHOIS: {error}") from None
    except (OSError, ValueError) as error:
        raise NoAnswerFromRegistryError(f"WHOIS: {explain(error)}") from None
    return text.decode(errors="replace").replace("\r", "")


def _dates(text: str) -> Iterator[datetime]:
    for found in _ENDS.finditer(text):
        date = parse_date(found["value"])
        if date is not None:
            yield date


def parse_date(text: str) -> datetime | None:
    """Return the moment that a registry wrote; None for what is no date. One without a zone is taken for UTC."""
    text = re.sub(r"\s*(?:UTC|GMT|\(.*\))\s*$|[,;]", "", one_line(text)).strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for wanted in _FORMATS:
            try:
                found = datetime.strptime(text, wanted)  # noqa: DTZ007  # the zone is set below
                break
            except ValueError:
                continue
        else:
            # Such as “2025-08-13 (YYYY-MM-DD)” or “13.08.2025 registered”: the date is the first word.
            first = text.partition(" ")[0]
            return parse_date(first) if first != text else None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _find(data: Mapping[str, Any], path: str) -> Any:
    try:
        return search(path, data)
    except PathError:
        return None


def _text(value: Any) -> str:
    return shorten(one_line(value), _TEXT_CHARACTERS) if isinstance(value, str) else ""
