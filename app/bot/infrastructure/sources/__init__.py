"""The builtin data source types, one file each. Importing this package registers them all."""

from __future__ import annotations

from app.bot.infrastructure.sources import (
    bot,
    calendar,
    dns,
    docker,
    feed,
    host,
    http_check,
    http_json,
    node_exporter,
    ping,
    prometheus,
    push,
    redis,
    simulated,
    static,
    tcp,
    tls_certificate,
    weather,
)
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, SourceType, source_types

__all__ = [
    "Resources",
    "SourceFailedError",
    "SourceType",
    "bot",
    "calendar",
    "dns",
    "docker",
    "feed",
    "host",
    "http_check",
    "http_json",
    "node_exporter",
    "ping",
    "prometheus",
    "push",
    "redis",
    "simulated",
    "source_types",
    "static",
    "tcp",
    "tls_certificate",
    "weather",
]
