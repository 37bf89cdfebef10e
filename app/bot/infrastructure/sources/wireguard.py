"""The wireguard source."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.programs import run_program
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.threads import in_thread

ONLINE_SECONDS = 180.0
"""A peer that talks shakes hands at least every two minutes, and gives up after three (REJECT_AFTER_TIME)."""
_PEER_FIELDS = 9
_SHOWN_KEY = 8
_LARGEST_BYTES = 4_000_000
_NOTHING = ("(none)", "off", "")


@dataclass(frozen=True, slots=True)
class Peer:
    """A line of `wg show all dump`, without the preshared key."""

    interface: str
    key: str
    endpoint: str
    addresses: str
    handshake_at: float | None
    received: float
    sent: float

    @classmethod
    def parse(cls, line: str) -> Peer | None:
        """Return the peer of a line; None for the line of an interface. Raises ValueError."""
        fields = line.split("\t")
        if len(fields) < _PEER_FIELDS:
            return None
        interface, key, _preshared, endpoint, addresses, handshake, received, sent, *_ = fields
        shaken = float(handshake)
        return cls(
            interface,
            key,
            "" if endpoint in _NOTHING else endpoint,
            "" if addresses in _NOTHING else addresses.replace(",", ", "),
            shaken or None,
            float(received),
            float(sent),
        )


@source_types.register("wireguard")
class Wireguard(Source, title="WireGuard"):
    """The peers of WireGuard on this machine: who is online, since when not, and how much went through.

    A peer is online when it shook hands within three minutes. Metrics: peer.count, peer.online, and for each peer
    peer.handshake (seconds ago), network.received, network.transmitted. Table: peers. No private or preshared key is
    ever kept, and public ones are shortened.
    """

    names: dict[str, str] = Field(
        default_factory=dict, max_length=500, description="Names of peers by public key; others show their addresses"
    )
    interfaces: tuple[str, ...] = Field((), max_length=50, description="Only these, such as wg0; empty for all")
    expected: tuple[str, ...] = Field(
        (), max_length=500, description="Peers that must be online, by name or public key; degraded without one"
    )
    file: str = Field(
        "",
        max_length=1_000,
        description="Read what `wg show all dump` printed from this file, where the bot may not run wg itself",
    )
    sudo: bool = Field(False, description="Run wg by sudo, where the bot's user may do so without a password")

    async def read(self, resources: Resources) -> Reading:
        """Run wg, or read the file. Raises ProgramFailedError or SourceFailedError."""
        dump = await in_thread(self._read_file, "read-wireguard") if self.file else await self._ask()
        try:
            found = [Peer.parse(line) for line in dump.splitlines()]
        except ValueError:
            raise SourceFailedError("This is not what `wg show all dump` prints") from None
        if dump.strip() and not any(line.count("\t") >= 3 for line in dump.splitlines()):
            raise SourceFailedError("This is not what `wg show all dump` prints")
        peers = [one for one in found if one and (not self.interfaces or one.interface in self.interfaces)]
        return self._reading(peers, time.time())

    async def _ask(self) -> str:
        output = await run_program(["wg", "show", "all", "dump"], sudo=self.sudo)
        if output.code:
            # Only what it complains of: what it prints has the keys.
            reason = shorten(output.complaint.strip() or f"it ended with {output.code}", 200)
            raise SourceFailedError(f"wg failed: {reason}. It needs root, or the capability NET_ADMIN")
        return output.text

    def _read_file(self) -> str:
        try:
            with Path(self.file).open("rb") as file:
                return file.read(_LARGEST_BYTES).decode(errors="replace")
        except OSError as error:
            raise SourceFailedError(f"The file cannot be read: {error.strerror}") from None

    def _reading(self, peers: Sequence[Peer], now: float) -> Reading:
        rows = [self._row(peer, now) for peer in peers[:MAX_ITEMS]]
        online = {row["name"] for row in rows if row["status"] == Status.UP.value}
        known = {name for peer in peers for name in (self._name(peer), peer.key) if self._name(peer) in online}
        away = [self.names.get(name) or _short(name) for name in self.expected if name not in known]
        rows.sort(key=lambda row: (row["status"] != Status.UP.value, str(row["name"]).casefold()))
        return Reading(
            datetime.now(UTC),
            Status.DEGRADED if away else Status.UP,
            f"Not online: {', '.join(away)}" if away else "",
            (
                Metric("peer.count", float(len(peers)), "count"),
                Metric("peer.online", float(sum(row["status"] == Status.UP.value for row in rows)), "count"),
                *(metric for peer in peers for metric in self._metrics(peer, now)),
            ),
            {"peers": rows},
        )

    def _metrics(self, peer: Peer, now: float) -> tuple[Metric, ...]:
        labels: Mapping[str, str] = {"peer": self._name(peer), "interface": peer.interface}
        return (
            Metric("peer.handshake", _ago(peer, now), "seconds", labels),
            Metric("network.received", peer.received, "bytes", labels, MetricKind.COUNTER),
            Metric("network.transmitted", peer.sent, "bytes", labels, MetricKind.COUNTER),
        )

    def _row(self, peer: Peer, now: float) -> dict[str, Any]:
        ago = _ago(peer, now)
        online = ago is not None and ago <= ONLINE_SECONDS
        return {
            "name": self._name(peer),
            "status": (Status.UP if online else Status.UNKNOWN).value,
            "interface": peer.interface,
            "key": _short(peer.key),
            "endpoint": peer.endpoint,
            "addresses": peer.addresses,
            "handshake": ago,
            "received": peer.received,
            "transmitted": peer.sent,
        }

    def _name(self, peer: Peer) -> str:
        return self.names.get(peer.key) or peer.addresses.split("/", maxsplit=1)[0] or _short(peer.key)


def _ago(peer: Peer, now: float) -> float | None:
    return None if peer.handshake_at is None else max(0.0, now - peer.handshake_at)


def _short(key: str) -> str:
    """Return a name as it is, a key so that no one can use it and the owner knows it."""
    return f"{key[:_SHOWN_KEY]}…" if len(key) > 40 else key
