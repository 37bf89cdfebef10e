"""Logging: one line per event, for people or as JSON, and never a secret in it."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "•••"
_PATTERNS = (
    # A Discord token: the id in base64, a time, a signature (documentation, authentication).
    (re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"), HIDDEN),
    # The password in an address.
    (re.compile(r"(://[^\s:/@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    # The tokens in the addresses of interactions and webhooks, good for 15 minutes or for ever.
    (re.compile(r"(/(?:webhooks|interactions)/\d+)/[\w.-]{20,}"), rf"\1/{HIDDEN}"),
    (re.compile(r"\b(Bot|Bearer|Basic) [\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
)
_MINIMUM_LENGTH = 6
"""A shorter secret would hide ordinary words."""

_secrets: set[str] = set()


def hide(secret: str | None) -> None:
    """Never log this text again, wherever it stands."""
    if secret and len(secret) >= _MINIMUM_LENGTH:
        _secrets.add(secret)


def redact(text: str) -> str:
    """Return the text with all secrets hidden: those given to `hide`, and whatever looks like one."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def configure_logging(level: str = "INFO", style: str = "console", stream: TextIO | None = None) -> None:
    """Route structlog and the standard library's logging (discord.py, aiohttp) into lines on `stream` (stderr).

    `style` is console or json. May be called again.
    """
    output = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)]
        if style == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=output.isatty(),
                timestamp_key="time",
                sort_keys=False,
                # The default one prints local variables, where secrets live.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer, _redact_line],
        )
    )
    root = logging.getLogger()
    for known in [known for known in root.handlers if getattr(known, "homelab", False)]:
        root.removeHandler(known)
    handler.homelab = True  # type: ignore[attr-defined]  # marks it for the next call
    root.addHandler(handler)
    root.setLevel(level)
    # At INFO these say what the product's own lines say already, or one line for each request.
    for noisy in ("discord.client", "discord.http", "discord.webhook", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.getLevelName(level), logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _redact_line(_logger: WrappedLogger, _method: str, line: EventDict) -> Any:
    """Return the last step works on the finished line, so that nothing can come in behind it, not even a traceback."""
    return redact(str(line))
