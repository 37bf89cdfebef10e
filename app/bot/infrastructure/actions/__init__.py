"""Every builtin action type, one file each. Importing this package registers them all."""

from app.bot.application.actions.types import action_types, poll_source, show_dashboard
from app.bot.infrastructure.actions import (
    docker_logs,
    docker_pause,
    docker_recreate,
    docker_restart,
    docker_start,
    docker_stop,
    home_assistant,
    http_request,
    mqtt_publish,
    proxmox,
    ssh_command,
    systemd_unit,
    wake_on_lan,
)
from app.bot.infrastructure.actions.base import ActionResources, NetworkAction, lend

__all__ = [
    "ActionResources",
    "NetworkAction",
    "action_types",
    "docker_logs",
    "docker_pause",
    "docker_recreate",
    "docker_restart",
    "docker_start",
    "docker_stop",
    "home_assistant",
    "http_request",
    "lend",
    "mqtt_publish",
    "poll_source",
    "proxmox",
    "show_dashboard",
    "ssh_command",
    "systemd_unit",
    "wake_on_lan",
]
