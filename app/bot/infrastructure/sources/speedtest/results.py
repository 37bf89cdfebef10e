"""What the programs that measure internet connections print: three kinds of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten

_TEXT_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Result:
    """A measurement: bits and seconds; what the program does not tell is None."""

    download: float | None
    upload: float | None
    latency: float | None
    jitter: float | None
    loss: float | None
    server: str
    provider: str
    link: str


def parse_result(printed: Any) -> Result:
    """Return the result that a program printed. Raises ValueError, TypeError or LookupError for anything else."""
    if isinstance(printed, list):
        return _librespeed(printed[0])
    if not isinstance(printed, Mapping):
        raise TypeError("no result")
    if isinstance(printed.get("download"), Mapping):
        return _ookla(printed)
    if isinstance(printed["download"], (int, float)):
        return _speedtest_cli(printed)
    raise ValueError("no result")


def _ookla(printed: Mapping[str, Any]) -> Result:
    """Of Ookla's program, 1.0 and later: bytes a second, milliseconds."""
    ping, server = printed.get("ping", {}), printed.get("server", {})
    return Result(
        _scaled(printed["download"].get("bandwidth"), 8),
        _scaled(printed["upload"].get("bandwidth"), 8),
        _scaled(ping.get("latency"), 1e-3),
        _scaled(ping.get("jitter"), 1e-3),
        _scaled(printed.get("packetLoss"), 1),
        _text(server.get("name"), server.get("location")),
        _text(printed.get("isp")),
        _text(printed.get("result", {}).get("url")),
    )


def _speedtest_cli(printed: Mapping[str, Any]) -> Result:
    """Of speedtest-cli 2.1: bits a second, milliseconds."""
    server = printed.get("server") or {}
    return Result(
        _scaled(printed["download"], 1),
        _scaled(printed["upload"], 1),
        _scaled(printed.get("ping"), 1e-3),
        None,
        None,
        _text(server.get("sponsor"), server.get("name")),
        _text((printed.get("client") or {}).get("isp")),
        _text(printed.get("share")),
    )


def _librespeed(printed: Mapping[str, Any]) -> Result:
    """Of librespeed-cli 1.0: Mbit a second, milliseconds."""
    client = printed.get("client") or {}
    return Result(
        _scaled(printed["download"], 1e6),
        _scaled(printed["upload"], 1e6),
        _scaled(printed.get("ping"), 1e-3),
        _scaled(printed.get("jitter"), 1e-3),
        None,
        _text(printed.get("server", {}).get("name")),
        _text(client.get("org") or client.get("isp")),
        _text(printed.get("share")),
    )


def _scaled(value: Any, scale: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) * scale


def _text(*parts: Any) -> str:
    return shorten(", ".join(one_line(part) for part in parts if isinstance(part, str) and part), _TEXT_CHARACTERS)
