"""Keys and certificates that a config names: the path of a file, or the text itself, mostly from a secret."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from app.bot.domain.errors import InvalidConfigError
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.threads import in_thread

_LARGEST_BYTES = 1_000_000
_ARMOUR = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*")


async def read_pem(field: str, value: str, secrets: SecretUse) -> str:
    """Return the text of a field: of the file, where it is a path (/… or ~/…), else its own with secrets filled in.

    Raises InvalidConfigError that names the field when there is no such file, or UnknownSecretError.
    """
    if not value.startswith(("/", "~")):
        return with_lines(await secrets.fill(value, lines=True))
    return await in_thread(lambda: _read_file(field, value), "read-pem")


def with_lines(text: str) -> str:
    """PEM with its line breaks, which a form with a single line takes away; any other text as it is."""
    return _ARMOUR.sub(_with_lines, text)


def _with_lines(match: re.Match[str]) -> str:
    body = "\n".join(textwrap.wrap("".join(match[2].split()), 64))
    return f"-----BEGIN {match[1]}-----\n{body}\n-----END {match[1]}-----\n"


def _read_file(field: str, value: str) -> str:
    try:
        with Path(value).expanduser().open("rb") as file:
            return file.read(_LARGEST_BYTES).decode(errors="replace")
    except (OSError, RuntimeError) as error:  # RuntimeError: no one has a home here
        reason = error.strerror if isinstance(error, OSError) else "there is no home folder"
        raise InvalidConfigError(
            f"{field}: the file {value} cannot be read ({reason}). "
            "Correct the path, or enter the text as a secret and write ${secret:name}"
        ) from None
