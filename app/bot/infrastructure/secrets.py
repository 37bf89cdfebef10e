"""Secrets that configs name as `${secret:name}`: read when they are needed, and hidden from whatever is shown."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

from yarl import URL

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.repositories.postgres import Pool, fetch
from app.shared.secrets import SecretBox, SecretError

REFERENCE = re.compile(r"\$\{secret:([^{}]*)\}")
HIDDEN = "•••"
RESERVED = frozenset({"discord_token"})
"""Secrets of the program itself, which no config may send anywhere."""


class UnknownSecretError(HomelabError):
    """A config names a secret that no row defines, or one it may not use."""


class UnreadableSecretError(HomelabError):
    """A secret is there but cannot be opened or used; the text says why, without its value."""


class SecretResolver(Protocol):
    """Gives secrets by name."""

    async def get(self, name: str) -> str:
        """Return the secret. Raises UnknownSecretError or UnreadableSecretError."""
        ...


class PostgresSecrets(SecretResolver):
    """Secrets of the table `secrets`. Opened secrets are kept until `forget`."""

    def __init__(self, pool: Pool, box: SecretBox) -> None:
        self._pool = pool
        self._box = box
        self._opened: dict[str, str] = {}

    def __repr__(self) -> str:
        return "PostgresSecrets()"

    def forget(self) -> None:
        """Read every secret again: one of them changed."""
        self._opened = {}

    async def get(self, name: str) -> str:
        """Return the secret. Raises UnknownSecretError, UnreadableSecretError, or what reading the table raises."""
        opened = self._opened
        if name not in opened:
            records = await fetch(self._pool, "SELECT ciphertext FROM secrets WHERE name = $1", name)
            if not records:
                raise UnknownSecretError(f"There is no secret “{name}”. Enter it in the web admin.")
            try:
                # Into the dict from before the query: what `forget` dropped meanwhile stays dropped.
                opened[name] = self._box.open(records[0]["ciphertext"])
            except SecretError as error:
                raise UnreadableSecretError(f"The secret “{name}” cannot be opened: {error}") from None
        return opened[name]


class SecretUse:
    """The secrets that one reading uses: filled into what is sent, hidden in whatever comes back."""

    def __init__(self, resolver: SecretResolver) -> None:
        self._resolver = resolver
        self._values: set[str] = set()

    def __repr__(self) -> str:
        return "SecretUse()"

    async def fill(self, text: str, *, quoted: bool = False, lines: bool = False) -> str:
        """Replace each `${secret:name}` in a text by its secret, percent-encoded for an address if `quoted`.

        A secret of several lines, such as a key, is refused unless `lines`. Raises UnknownSecretError,
        UnreadableSecretError, or what the resolver raises.
        """
        filled, end = "", 0
        for match in REFERENCE.finditer(text):
            secret = await self._secret(match[1], lines)
            filled += text[end : match.start()] + (quote(secret, safe="") if quoted else secret)
            end = match.end()
        return filled + text[end:]

    async def fill_within(self, value: Any) -> Any:
        """JSON-like data with the references in its texts replaced. Raises what `fill` raises."""
        if isinstance(value, str):
            return await self.fill(value)
        if isinstance(value, dict):
            return {key: await self.fill_within(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [await self.fill_within(entry) for entry in value]
        return value

    def also_hide(self, value: str) -> None:
        """Hide a text that was made from a secret."""
        if value:
            self._values.add(value)

    def hide(self, text: str) -> str:
        """Return the text with every secret in it replaced by a mark."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    def hide_within(self, value: Any) -> Any:
        """JSON-like data with every secret in its texts replaced."""
        return self._hidden_within(value) if self._occurs_in(value) else value

    def _occurs_in(self, value: Any) -> bool:
        """Whether a secret may be somewhere in JSON-like data: a tenth of the time that a look at each text takes."""
        if not self._values:
            return False
        try:
            written = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return True
        return any(json.dumps(secret, ensure_ascii=False)[1:-1] in written for secret in self._values)

    def _hidden_within(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(str(key)): self._hidden_within(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._hidden_within(entry) for entry in value]
        return value

    async def _secret(self, name: str, lines: bool = False) -> str:
        if name in RESERVED:
            raise UnknownSecretError(f"The secret “{name}” is the bot's own and cannot be used here.")
        value = (await self._resolver.get(name)).strip()
        if any(not character.isprintable() and not (lines and character in "\r\n") for character in value):
            raise UnreadableSecretError(f"The secret “{name}” has line breaks or control characters. Enter it again.")
        for form in (value, *_in_addresses(value)):
            self.also_hide(form)
        return value


def _in_addresses(value: str) -> tuple[str, ...]:
    """How a server may see and send back a secret that was part of an address."""
    quoted = quote(value, safe="")
    sent = URL(f"http://host/{quoted}?{quoted}")
    return (quoted, quote_plus(value), sent.raw_path[1:], sent.raw_query_string)
