"""Addresses of the database: the owner's, the bot's, and how to speak of one without its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from app.shared.database.core.errors import DatabaseRefusedError

BOT_ROLE = "homelab_bot"
_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Both addresses of one database. `bot_password` is set where this program hands it to the role itself."""

    owner: str = field(repr=False)
    bot: str = field(repr=False)
    bot_password: str | None = field(default=None, repr=False)
    embedded: bool = False


def plain_url(url: str) -> str:
    """Return the address as asyncpg takes it, also from SQLAlchemy's notation. Raises DatabaseRefusedError."""
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.split("+")[0]
    if not separator or scheme not in _SCHEMES:
        raise DatabaseRefusedError(
            "The database address must look like postgresql://user:password@host:5432/database. "
            "Special characters in the password are written in percent encoding (@ as %40, / as %2F)."
        )
    return f"postgresql://{rest}"


def bot_url(owner_url: str, password: str | None = None) -> str:
    """Return the owner's address with the bot's role; `password` None where the server trusts its socket."""
    parts = urlsplit(plain_url(owner_url))
    place = parts.netloc.rpartition("@")[2]
    secret = "" if password is None else quote(password, safe="")
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("user", "password")]
    return urlunsplit(parts._replace(netloc=f"{BOT_ROLE}:{secret}@{place}", query=urlencode(query, safe="/")))


def describe(url: str) -> str:
    """Return the address in words, for messages: role, place and database, never the password."""
    parts = urlsplit(plain_url(url))
    query = dict(parse_qsl(parts.query))
    user = unquote(parts.netloc.rpartition("@")[0].partition(":")[0]) or query.get("user", "")
    place = parts.netloc.rpartition("@")[2] or query.get("host", "localhost")
    database = unquote(parts.path.lstrip("/")) or query.get("database", "") or query.get("dbname", "") or user
    return f"“{database}” at {place} as {user or 'the current user'}"
