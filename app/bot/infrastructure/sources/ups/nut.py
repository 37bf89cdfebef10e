"""Network UPS Tools' protocol: https://networkupstools.org/docs/developer-guide.chunked/net-protocol.html"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import ssl

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.network.connections import Stream
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.sources.base import SourceFailedError

_MOST_LINES = 1_000
_LINE_BYTES = 2_000
_VALUE_CHARACTERS = 200
_FOREIGN = "The answer is not that of a NUT server (upsd)"
_ERRORS = {
    "ACCESS-DENIED": "The server refuses this machine, user or password",
    "UNKNOWN-UPS": "The server has no UPS of this name",
    "DRIVER-NOT-CONNECTED": "The server has lost its driver: is the UPS plugged in?",
    "DATA-STALE": "The UPS does not tell the server anything any more",
    "INVALID-PASSWORD": "The server refuses the user name or password",
    "INVALID-USERNAME": "The server refuses the user name or password",
    "FEATURE-NOT-SUPPORTED": "The server does not offer TLS",
    "FEATURE-NOT-CONFIGURED": "The server does not offer TLS",
}
_QUOTED = re.compile(r"[A-Za-z0-9_.-]+")


class NutClient:
    """One conversation with upsd."""

    def __init__(self, stream: Stream) -> None:
        self._reader = stream.reader
        self._writer = stream.writer

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on. Raises SourceFailedError."""
        await self._ask("STARTTLS")
        try:
            await self._writer.start_tls(context, server_hostname=host)
        except (OSError, ValueError) as error:
            raise SourceFailedError(explain(error)) from None

    async def log_in(self, username: str, password: str) -> None:
        """Say who asks. Raises SourceFailedError."""
        await self._ask(f"USERNAME {_quoted(username)}")
        await self._ask(f"PASSWORD {_quoted(password)}")

    async def names(self) -> dict[str, str]:
        """Return the UPS that the server knows, with their descriptions. Raises SourceFailedError."""
        rows = await self._list("UPS")
        return {row[0]: shorten(row[1], _VALUE_CHARACTERS) for row in rows if len(row) >= 2}

    async def variables(self, name: str) -> dict[str, str]:
        """Return what a UPS tells of itself, such as battery.charge. Raises SourceFailedError."""
        rows = await self._list(f"VAR {_quoted(name)}")
        return {row[1]: shorten(one_line(row[2]), _VALUE_CHARACTERS) for row in rows if len(row) >= 3}

    async def log_out(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError):
            self._writer.write(b"LOGOUT\n")
            await self._writer.drain()

    async def _list(self, what: str) -> list[list[str]]:
        """Return the lines between BEGIN and END, without the word that each begins with."""
        kind = what.split(maxsplit=1)[0]
        if not (await self._ask(f"LIST {what}")).startswith(f"BEGIN LIST {kind}"):
            raise SourceFailedError(_FOREIGN)
        rows: list[list[str]] = []
        for _ in range(_MOST_LINES):
            line = await self._line()
            if line.startswith(f"END LIST {kind}"):
                return rows
            try:
                word, *row = shlex.split(line)
            except ValueError:
                raise SourceFailedError(_FOREIGN) from None
            if word != kind:
                raise SourceFailedError(_FOREIGN)
            rows.append(row)
        raise SourceFailedError(f"The server tells more than {_MOST_LINES:,} things")

    async def _ask(self, question: str) -> str:
        try:
            self._writer.write(f"{question}\n".encode())
            await self._writer.drain()
        except OSError as error:
            raise SourceFailedError(explain(error)) from None
        line = await self._line()
        if line.startswith("ERR "):
            code = line.split()[1] if len(line.split()) > 1 else ""
            raise SourceFailedError(_ERRORS.get(code, f"The server says: {shorten(one_line(code), 60)}"))
        if not line.startswith(("OK", "BEGIN")):
            raise SourceFailedError(_FOREIGN)
        return line

    async def _line(self) -> str:
        try:
            line = await self._reader.readline()
        except ValueError:  # longer than the reader keeps (64 KiB)
            raise SourceFailedError(_FOREIGN) from None
        except (OSError, asyncio.IncompleteReadError) as error:
            raise SourceFailedError(explain(error)) from None
        if len(line) > _LINE_BYTES:
            raise SourceFailedError(_FOREIGN)
        if not line.endswith(b"\n"):
            raise SourceFailedError("The server closed the connection")
        return line.decode(errors="replace").strip()


def _quoted(text: str) -> str:
    """Return a word of a command, in quotes where it needs them."""
    if _QUOTED.fullmatch(text):
        return text
    if not text.isprintable():
        raise SourceFailedError("A name or password has line breaks or control characters")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
