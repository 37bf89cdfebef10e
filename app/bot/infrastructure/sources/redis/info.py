"""What Redis' INFO says, as metrics and tables. Its fields: https://redis.io/docs/latest/commands/info/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.bot.domain.readings.reading import Metric, MetricKind

Info = Mapping[str, Any]

_GAUGES = (
    ("uptime", "uptime_in_seconds", "seconds", 1.0),
    ("clients", "connected_clients", "count", 1.0),
    ("clients.blocked", "blocked_clients", "count", 1.0),
    ("memory.used", "used_memory", "bytes", 1.0),
    ("memory.peak", "used_memory_peak", "bytes", 1.0),
    ("memory.resident", "used_memory_rss", "bytes", 1.0),
    ("memory.fragmentation", "mem_fragmentation_ratio", "", 1.0),
    ("operations.rate", "instantaneous_ops_per_sec", "ops/s", 1.0),
    ("network.receive", "instantaneous_input_kbps", "bytes/s", 1024.0),
    ("network.transmit", "instantaneous_output_kbps", "bytes/s", 1024.0),
    ("changes.unsaved", "rdb_changes_since_last_save", "count", 1.0),
    ("replicas", "connected_slaves", "count", 1.0),
)
_COUNTERS = (
    ("commands", "total_commands_processed", "count"),
    ("connections", "total_connections_received", "count"),
    ("connections.rejected", "rejected_connections", "count"),
    ("hits", "keyspace_hits", "count"),
    ("misses", "keyspace_misses", "count"),
    ("keys.expired", "expired_keys", "count"),
    ("keys.evicted", "evicted_keys", "count"),
    ("network.received", "total_net_input_bytes", "bytes"),
    ("network.transmitted", "total_net_output_bytes", "bytes"),
)
_FAILURES = (
    ("rdb_last_bgsave_status", "The last snapshot could not be written to disk"),
    ("aof_last_bgrewrite_status", "The append-only file could not be rewritten"),
    ("aof_last_write_status", "The append-only file could not be written"),
)
_FULL_PERCENT = 95.0
"""Without eviction, Redis refuses every write at 100."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """How often a key that was asked for was there, and was not, since the server started."""

    hits: float
    misses: float

    @classmethod
    def of(cls, info: Info) -> Lookups | None:
        """None where the server does not count them."""
        hits, misses = number(info, "keyspace_hits"), number(info, "keyspace_misses")
        return None if hits is None or misses is None else cls(hits, misses)

    def percent(self, before: Lookups | None) -> float | None:
        """Return the share of hits since `before`, or since a restart; None when nothing was asked."""
        if before is None or before.hits > self.hits or before.misses > self.misses:
            before = Lookups(0.0, 0.0)
        hits, misses = self.hits - before.hits, self.misses - before.misses
        return hits / (hits + misses) * 100.0 if hits + misses else None


def number(info: Info, key: str) -> float | None:
    """Return a field as a number; None where it is missing or no number."""
    value = info.get(key)
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def metrics(info: Info) -> Iterator[Metric]:
    """Yield the numbers of the whole server."""
    for name, field, unit, scale in _GAUGES:
        value = number(info, field)
        yield Metric(name, None if value is None else value * scale, unit)
    for name, field, unit in _COUNTERS:
        yield Metric(name, number(info, field), unit, kind=MetricKind.COUNTER)
    yield Metric("memory.total", number(info, "maxmemory") or None, "bytes")
    yield Metric("memory.percent", _memory_percent(info), "percent")
    saved, now = number(info, "rdb_last_save_time"), number(info, "server_time_usec")
    known = saved is not None and now is not None
    yield Metric("last_save.age", max(0.0, now / 1e6 - saved) if known else None, "seconds")  # type: ignore[operator]
    if info.get("role") == "slave":
        yield Metric("replication.link", float(info.get("master_link_status") == "up"))
        seconds = number(info, "master_last_io_seconds_ago")
        yield Metric("replication.silence", None if seconds is None or seconds < 0 else seconds, "seconds")


def keys(info: Info) -> Iterator[Metric]:
    """How many keys there are, in all and in each database."""
    counts = {row["database"]: row["keys"] for row in databases(info)}
    yield Metric("keys", float(sum(count or 0.0 for count in counts.values())), "count")
    for database, count in counts.items():
        yield Metric("keys", count, "count", {"database": database})


def databases(info: Info) -> list[dict[str, Any]]:
    """Return the table of databases; times to live in seconds."""
    found = {
        int(key[2:]): value
        for key, value in info.items()
        if key.startswith("db") and key[2:].isdecimal() and isinstance(value, Mapping)
    }
    return [
        {
            "database": str(database),
            "keys": number(fields, "keys"),
            "expires": number(fields, "expires"),
            "average_ttl": (number(fields, "avg_ttl") or 0.0) / 1000.0 or None,  # 0 until Redis has looked
        }
        for database, fields in sorted(found.items())
    ]


def replicas(info: Info) -> list[dict[str, Any]]:
    """Return the table of those who copy from this server."""
    entries = (value for key, value in info.items() if key.startswith("slave") and key[5:].isdecimal())
    return [
        {
            "address": f"{entry.get('ip')}:{entry.get('port')}",
            "status": "up" if entry.get("state") == "online" else "degraded",
            "state": entry.get("state"),
            "lag": number(entry, "lag"),
        }
        for entry in entries
        if isinstance(entry, Mapping)
    ]


def server(info: Info) -> dict[str, Any]:
    """Return what runs there: a table of one row."""
    version = info.get("valkey_version") or info.get("redis_version")
    role = {"master": "primary", "slave": "replica"}.get(str(info.get("role")), info.get("role"))
    return {
        "name": str(info.get("server_name") or "redis"),
        "version": None if version is None else str(version),
        "mode": info.get("redis_mode") or info.get("server_mode"),
        "role": role,
        "primary": f"{info['master_host']}:{info.get('master_port')}" if "master_host" in info else None,
        "system": info.get("os"),
        "eviction": info.get("maxmemory_policy"),
    }


def problems(info: Info) -> list[str]:
    """Return what a person should look at, in words; empty when all is well."""
    found = [text for field, text in _FAILURES if info.get(field) == "err"]
    if number(info, "loading"):
        found.append("It is still loading its data")
    if info.get("role") == "slave" and info.get("master_link_status") != "up":
        found.append("The link to the primary is down")
    percent = _memory_percent(info)
    if percent is not None and percent >= _FULL_PERCENT and info.get("maxmemory_policy") == "noeviction":
        found.append(f"Memory is {percent:.0f} % full, and nothing is evicted: writes are refused at 100 %")
    return found


def _memory_percent(info: Info) -> float | None:
    used, total = number(info, "used_memory"), number(info, "maxmemory")
    return used / total * 100.0 if used is not None and total else None
