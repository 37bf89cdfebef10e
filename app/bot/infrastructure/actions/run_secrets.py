"""Secrets of one run: the references of its own config are marked, so that a user's text is never taken for one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from app.bot.infrastructure.secrets import RESERVED, SecretResolver, SecretUse, UnknownSecretError

_OPENING = re.compile(r"\$\{secret:")


class RunSecrets(SecretUse):
    """Fills the references that the config of one action has; any other is text that a user typed, and stays text.

    The config's references get a mark that no one can guess, before the user's values are filled in. Whoever types
    `${secret:name}` as a value gets just that.
    """

    def __init__(self, resolver: SecretResolver) -> None:
        super().__init__(resolver)
        self._mark = f"{token_hex(8)}."

    def __repr__(self) -> str:
        return "RunSecrets()"

    def mark(self, value: Any) -> Any:
        """Return a part of the config with its references marked."""
        if isinstance(value, str):
            return _OPENING.sub(lambda match: match[0] + self._mark, value)
        if isinstance(value, Mapping):
            return {key: self.mark(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mark(entry) for entry in value]
        return value

    def hide(self, text: str) -> str:
        """Return the text with every secret replaced, and with references as people write them."""
        return super().hide(text).replace(self._mark, "")

    def watched(self) -> SecretResolver:
        """Return a resolver for others, such as data sources; its secrets are hidden from this run's answers too."""
        return _WatchedSecrets(self._resolver, self)

    async def _secret(self, name: str, lines: bool = False) -> str:
        if not name.startswith(self._mark):
            return f"${{secret:{name}}}"
        return await super()._secret(name.removeprefix(self._mark), lines)


class _WatchedSecrets(SecretResolver):
    """Secrets that a run hides once they were given."""

    def __init__(self, resolver: SecretResolver, run: RunSecrets) -> None:
        self._resolver = resolver
        self._run = run

    async def get(self, name: str) -> str:
        if name in RESERVED:
            raise UnknownSecretError(f"The secret “{name}” is the bot's own and cannot be used here.")
        value = await self._resolver.get(name)
        self._run.also_hide(value.strip())
        return value
