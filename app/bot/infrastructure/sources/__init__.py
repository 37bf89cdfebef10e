"""The builtin data source types, one file each. Importing this package registers them all."""

from __future__ import annotations

from app.bot.infrastructure.sources import (
    bot,
    calendar,
    dns,
    feed,
    http_check,
    http_json,
    minecraft,
    ping,
    push,
    simulated,
    source_game,
    ssh_command,
    static,
    systemd,
    tcp,
    weather,
    wireguard,
)
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, SourceType, source_types
from app.bot.infrastructure.sources.docker import source as docker
from app.bot.infrastructure.sources.domain_expiry import source as domain_expiry
from app.bot.infrastructure.sources.host import source as host
from app.bot.infrastructure.sources.mqtt import source as mqtt
from app.bot.infrastructure.sources.node_exporter import source as node_exporter
from app.bot.infrastructure.sources.prometheus import source as prometheus
from app.bot.infrastructure.sources.redis import source as redis
from app.bot.infrastructure.sources.security_log import source as security_log
from app.bot.infrastructure.sources.smart import source as smart
from app.bot.infrastructure.sources.snmp import source as snmp
from app.bot.infrastructure.sources.speedtest import source as speedtest
from app.bot.infrastructure.sources.sql import source as sql
from app.bot.infrastructure.sources.tls_certificate import source as tls_certificate
from app.bot.infrastructure.sources.ups import source as ups

__all__ = [
    "Resources",
    "SourceFailedError",
    "SourceType",
    "bot",
    "calendar",
    "dns",
    "docker",
    "domain_expiry",
    "feed",
    "host",
    "http_check",
    "http_json",
    "minecraft",
    "mqtt",
    "node_exporter",
    "ping",
    "prometheus",
    "push",
    "redis",
    "security_log",
    "simulated",
    "smart",
    "snmp",
    "source_game",
    "source_types",
    "speedtest",
    "sql",
    "ssh_command",
    "static",
    "systemd",
    "tcp",
    "tls_certificate",
    "ups",
    "weather",
    "wireguard",
]
