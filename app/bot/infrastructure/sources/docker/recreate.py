"""Recreating a container with the same config, as after a new version of its image came."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.bot.domain.readings.items import value_at
from app.bot.infrastructure.sources.docker.containers import own_name
from app.bot.infrastructure.sources.docker.errors import EngineError

if TYPE_CHECKING:
    from app.bot.infrastructure.sources.docker.engine import Engine

_SETTLE_SECONDS = 3.0
"""A new container that ends within this time has failed."""
_LOOK_SECONDS = 0.25
_OF_THE_IMAGE = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Healthcheck", "StopSignal", "Shell", "OnBuild")
_MAPS_OF_THE_IMAGE = ("Labels", "ExposedPorts", "Volumes")
Progress = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recreated:
    """What came of it. `new_image` is whether the container's image is another one than before.

    `left_over` is what the old container is called now, where it could not be removed.
    """

    name: str
    is_running: bool
    new_image: bool
    left_over: str = ""


async def recreate(engine: Engine, container: str, *, pull: bool, progress: Progress) -> Recreated:
    """Recreate a container: config, mounts, networks and name stay, the image is what its name means now.

    The old one is kept until the new one has run for a moment. Where anything fails it is put back, and started if it
    ran. Raises EngineError, which says whether that worked.
    """
    old = await engine.inspect(container)
    identity, name = str(old.get("Id")), own_name([old.get("Name") or ""])
    image = str(value_at(old, "Config.Image") or "")
    if value_at(old, "HostConfig.AutoRemove"):
        raise EngineError(f"{name} was started with --rm: it would be gone when it is stopped. Recreate it by hand")
    if pull:
        await progress(f"Pulling {image}")
        await engine.pull(image)
    built_in = await engine.image(str(old.get("Image") or image))
    body = body_of(old, value_at(built_in, "Config") or {})
    was_running = bool(value_at(old, "State.Running"))
    kept = f"{name}-before-{secrets.token_hex(3)}"
    swap = _Swap(engine, identity, name, kept, was_running)
    await progress(f"Replacing {name}")
    try:
        new = await swap.run(body, networks_of(old))
    except (EngineError, asyncio.CancelledError) as error:
        # A run that is broken off leaves no lab without its container either.
        said = await asyncio.shield(asyncio.ensure_future(swap.undo()))
        if isinstance(error, asyncio.CancelledError):
            raise
        raise EngineError(f"{error}. {said}") from None
    try:
        await engine.remove(identity)
    except EngineError:
        return Recreated(name, was_running, new.get("Image") != old.get("Image"), kept)
    return Recreated(name, was_running, new.get("Image") != old.get("Image"))


class _Swap:
    """The exchange of one container for another of the same name."""

    def __init__(self, engine: Engine, identity: str, name: str, kept: str, was_running: bool) -> None:
        self._engine = engine
        self._identity = identity
        self._name = name
        self._kept = kept
        self._was_running = was_running
        self._new: str | None = None

    async def run(self, body: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
        """Make the new container and run it if the old one ran; what an inspection tells of it."""
        if self._was_running:
            await self._engine.stop(self._identity)
        await self._engine.rename(self._identity, self._kept)
        first, *others = networks.items() or [("", {})]
        if first[0]:  # engines before 1.44 take only one when a container is made
            body = {**body, "NetworkingConfig": {"EndpointsConfig": dict([first])}}
        self._new = await self._engine.create(self._name, body)
        for network, endpoint in others:
            await self._engine.connect(network, self._new, endpoint)
        if self._was_running:
            await self._engine.start(self._new)
            await self._settle(self._new)
        return await self._engine.inspect(self._new)

    async def _settle(self, new: str) -> None:
        for _ in range(round(_SETTLE_SECONDS / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            found = await self._engine.inspect(new)
            if not value_at(found, "State.Running") or value_at(found, "State.Restarting"):
                code = value_at(found, "State.ExitCode")
                raise EngineError(f"The new {self._name} ended at once with code {code}")

    async def undo(self) -> str:
        """Put the old container back; what to say of that."""
        try:
            if self._new is not None:
                await self._engine.remove(self._new)
            found = await self._engine.inspect(self._identity)
            if own_name([found.get("Name") or ""]) == self._kept:
                await self._engine.rename(self._identity, self._name)
            if self._was_running:
                await self._engine.start(self._identity)
        except EngineError as error:
            return f"The old one could not be put back: {error}. Look for {self._kept}"
        return "The old one is back" + (" and runs" if self._was_running else "")


def body_of(old: Mapping[str, Any], built_in: Mapping[str, Any]) -> dict[str, Any]:
    """Return what POST /containers/create takes to make a container as an inspection shows it.

    What the old image had `built_in` is left out, so that the new one's own counts.
    """
    config = {key: value for key, value in (old.get("Config") or {}).items() if not _is_empty(value)}
    for key in _OF_THE_IMAGE:
        if key == "Env":
            config[key] = [entry for entry in config.get(key) or [] if entry not in (built_in.get(key) or [])]
        elif key in config and config[key] == built_in.get(key):
            del config[key]
    for key in _MAPS_OF_THE_IMAGE:
        own = {name: value for name, value in (config.get(key) or {}).items() if not _has(built_in, key, name, value)}
        config[key] = own
    host = {key: value for key, value in (old.get("HostConfig") or {}).items() if not _is_empty(value)}
    if "Ulimits" in host:
        host["Ulimits"] = [_as_docker_names_it(limit) for limit in host["Ulimits"]]
    host["Binds"] = [*(host.get("Binds") or []), *_unnamed_volumes(old, host)]
    mode = str(host.get("NetworkMode") or "")
    if config.get("Hostname") == str(old.get("Id"))[:12] or mode == "host" or mode.startswith("container:"):
        config.pop("Hostname", None)
    config.pop("MacAddress", None)
    return {**config, "HostConfig": host}


def networks_of(old: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the networks with how the container is in each, the one it was made with first."""
    mode = str(value_at(old, "HostConfig.NetworkMode") or "")
    found = value_at(old, "NetworkSettings.Networks")
    if mode in ("host", "none") or mode.startswith("container:") or not isinstance(found, Mapping):
        return {}
    short = str(old.get("Id"))[:12]
    networks = {}
    for name, endpoint in sorted(found.items(), key=lambda entry: entry[0] != mode):
        aliases = [alias for alias in (endpoint or {}).get("Aliases") or [] if alias != short]
        kept = {key: endpoint[key] for key in ("IPAMConfig", "Links", "DriverOpts") if (endpoint or {}).get(key)}
        networks[name] = {**kept, **({"Aliases": aliases} if aliases else {})}
    return networks


def _unnamed_volumes(old: Mapping[str, Any], host: Mapping[str, Any]) -> list[str]:
    """Volumes that only the old container knows, as binds: without them the new one would start with empty ones."""
    known = {str(bind).split(":")[1] for bind in host.get("Binds") or [] if ":" in str(bind)}
    known |= {str(mount.get("Target")) for mount in host.get("Mounts") or [] if isinstance(mount, Mapping)}
    return [
        f"{mount['Name']}:{mount['Destination']}" + ("" if mount.get("RW", True) else ":ro")
        for mount in old.get("Mounts") or []
        if mount.get("Type") == "volume" and mount.get("Name") and mount.get("Destination") not in known
    ]


def _as_docker_names_it(limit: Mapping[str, Any]) -> dict[str, Any]:
    """Podman says RLIMIT_NOFILE where it takes nofile, as Docker does."""
    return {**limit, "Name": str(limit.get("Name")).removeprefix("RLIMIT_").lower()}


def _has(built_in: Mapping[str, Any], key: str, name: str, value: Any) -> bool:
    own = built_in.get(key) or {}
    return name in own and own[name] == value


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
