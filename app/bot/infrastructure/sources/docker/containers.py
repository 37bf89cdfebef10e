"""What an engine says of its containers, and what is made of it for readings."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.bot.domain.readings.items import as_number, value_at
from app.bot.domain.readings.moments import moment_of

LABEL = "homelab."
_PROJECT_LABELS = ("com.docker.compose.project", "io.podman.compose.project")
_SERVICE_LABELS = ("com.docker.compose.service", "io.podman.compose.service")
_YES = frozenset({"1", "true", "yes", "on"})
_LAST_ORDER = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Details:
    """What only an inspection tells. `health` is empty without a health check."""

    health: str = ""
    restarts: int | None = None
    started_at: datetime | None = None
    exit_code: int | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Details:
        """From GET /containers/{id}/json. What is missing or odd is left out."""
        health = value_at(found, "State.Health.Status")
        return cls(
            health=health if isinstance(health, str) and health != "none" else "",
            restarts=_integer(found.get("RestartCount")),
            started_at=moment_of(value_at(found, "State.StartedAt")),
            exit_code=_integer(value_at(found, "State.ExitCode")),
        )


@dataclass(frozen=True, slots=True)
class Container:
    """One container, as a list of containers tells of it. `state` is Docker's word: running, exited, paused, ..."""

    id: str
    name: str
    image: str
    state: str
    text: str
    ports: str
    labels: Mapping[str, str]
    details: Details = Details()

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Container:
        """From an entry of GET /containers/json."""
        identity = str(found["Id"])
        names = found.get("Names")
        labels = found.get("Labels")
        return cls(
            id=identity,
            name=own_name(names if isinstance(names, list) else ()) or identity[:12],
            image=str(found.get("Image") or ""),
            state=str(found.get("State") or "unknown").casefold(),
            text=str(found.get("Status") or ""),
            ports=_ports(found.get("Ports")),
            labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, Mapping) else {},
        )

    def label(self, name: str) -> str:
        """Return the value of the label `homelab.<name>`, empty where there is none."""
        return self.labels.get(LABEL + name, "").strip()

    @property
    def is_hidden(self) -> bool:
        """Whether a label says that no one wants to see it."""
        return is_hidden(self.labels)

    @property
    def is_running(self) -> bool:
        """Whether its processes run now."""
        return self.state == "running"

    @property
    def status(self) -> str:
        """One word for how it is: its state, or its health where it runs and that is not well."""
        return (
            self.details.health if self.is_running and self.details.health in ("unhealthy", "starting") else self.state
        )

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label("name") or self.name

    @property
    def trouble(self) -> str:
        """What is to be said beside its name, where it is not simply running."""
        if self.state == "exited" and self.details.exit_code:
            return f"exited with code {self.details.exit_code}"
        return "" if self.status == "running" else self.status

    def uptime(self, now: datetime) -> float | None:
        """Seconds since it was started; None unless it runs."""
        started = self.details.started_at
        return max(0.0, (now - started).total_seconds()) if self.is_running and started is not None else None

    def row(self, now: datetime) -> dict[str, Any]:
        """Its row of the table `containers`, without what it uses."""
        return {
            "name": self.name,
            "title": self.title,
            "id": self.id[:12],
            "image": self.image,
            "status": self.status,
            "state": self.state,
            "health": self.details.health or None,
            "text": self.text,
            "uptime": self.uptime(now),
            "restarts": self.details.restarts,
            "exit_code": None if self.is_running else self.details.exit_code,
            "ports": self.ports,
            "project": _first(self.labels, _PROJECT_LABELS),
            "service": _first(self.labels, _SERVICE_LABELS),
            "icon": self.label("icon"),
            "url": self.label("url"),
            "group": self.label("group"),
            "order": self.order,
            "dashboards": list(self.dashboards),
        }

    @property
    def order(self) -> float | None:
        """Where it wants to stand among others; None for where its name puts it."""
        order = as_number(self.label("order"))
        return order if order is not None and math.isfinite(order) else None

    @property
    def dashboards(self) -> tuple[str, ...]:
        """The dashboards that it adds itself to."""
        names = (name.strip() for name in self.label("dashboard").split(","))
        return tuple(dict.fromkeys(name for name in names if name))

    def discovered_rows(self) -> list[dict[str, Any]]:
        """Its rows of the table from which dashboards take what adds itself to them."""
        entry = {
            "name": self.title,
            "status": self.status,
            "detail": self.trouble,
            "icon": self.label("icon"),
            "group": self.label("group"),
            "url": self.label("url"),
            "order": self.order,
        }
        return [{"dashboard": dashboard, **entry} for dashboard in self.dashboards]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which containers are wanted. Patterns know * and ?; a label is `name` or `name=value`, and all must be there."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    labels: Sequence[str] = ()

    def wants(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a container of this name and these labels is one of them."""
        if self.include and not _fits(name, self.include):
            return False
        return not _fits(name, self.exclude) and all(_has(labels, wanted) for wanted in self.labels)


def in_order(containers: Iterable[Container]) -> list[Container]:
    """As tables show them: by `homelab.order`, then by name."""
    return sorted(containers, key=lambda one: (_LAST_ORDER if one.order is None else one.order, one.name.casefold()))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)


def _has(labels: Mapping[str, str], wanted: str) -> bool:
    name, is_valued, value = wanted.partition("=")
    return name in labels and (not is_valued or labels[name] == value)


def is_hidden(labels: Mapping[str, Any]) -> bool:
    """Whether a container's labels say that no one wants to see it."""
    return str(labels.get(f"{LABEL}hide", "")).strip().casefold() in _YES


def own_name(names: Sequence[Any]) -> str:
    """Its own among its names: those with a second slash are links of other containers."""
    found = [str(name).removeprefix("/") for name in names]
    return next((name for name in found if "/" not in name), found[0] if found else "")


def _ports(found: Any) -> str:
    """Such as “8080→80/tcp, 443/tcp”; each once, though engines list it for IPv4 and IPv6."""
    shown: dict[str, None] = {}
    for port in found if isinstance(found, list) else ():
        if isinstance(port, Mapping) and port.get("PrivatePort"):
            public = f"{port['PublicPort']}→" if port.get("PublicPort") else ""
            shown[f"{public}{port['PrivatePort']}/{port.get('Type') or 'tcp'}"] = None
    return ", ".join(shown)


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
