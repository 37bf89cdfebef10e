"""Docker actions, on a real engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.bot.application.actions.own_bot import OwnBot
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Actor
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.actions import action_types, lend
from app.bot.infrastructure.actions.base import ActionContext, ActionFailedError, ActionResult
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.sources import Resources
from app.bot.infrastructure.sources.docker.recreate import body_of, networks_of
from tests.support.programs.containers import FOREVER, IMAGE, PodmanEngine
from tests.support.waiting import until


class Lab:
    """Runs actions on the engine, as a source named docker describes it."""

    def __init__(self, engine: PodmanEngine, resources: Resources, said: list[str]) -> None:
        self.engine = engine
        self.resources = resources
        self.said = said
        self.config: dict[str, Any] = {"address": engine.address}

    @property
    def context(self) -> ActionContext:
        sources = {
            "docker": DataSource(1, "docker", "docker", config=self.config),
            "nas": DataSource(2, "nas", "static"),
        }
        nothing = cast("Any", None)
        bot = OwnBot(cast("Any", SimpleNamespace(sources=sources)), nothing, nothing, nothing)

        async def progress(text: str) -> None:
            self.said.append(text)

        return lend(self.resources, bot).context(Actor(7, "ada", 1, 2), {}, progress)

    async def run(self, type_name: str, container: str = "web", **config: Any) -> ActionResult:
        return await action_types[type_name](container=container, **config).run(self.context)

    async def state(self, name: str = "web") -> str:
        return (await self.inspected(name))["State"]["Status"]

    async def inspected(self, name: str = "web") -> dict[str, Any]:
        (found,) = json.loads(await self.engine.podman("container", "inspect", name))
        return cast("dict[str, Any]", found)

    async def names(self) -> list[str]:
        return (await self.engine.podman("ps", "--all", "--format", "{{.Names}}")).split()


@pytest.fixture
async def lab(podman_engine: PodmanEngine) -> AsyncIterator[Lab]:
    async with make_session() as session:
        yield Lab(podman_engine, Resources(session, cast("Any", None), Statistics()), [])


async def test_stop_start_restart_and_pause(lab: Lab) -> None:
    await lab.engine.run("web")

    assert (await lab.run("docker_stop")).text == "web was stopped and is exited."
    assert await lab.state() == "exited"
    assert (await lab.run("docker_start")).text == "web was started and is running."
    assert await lab.state() == "running"
    assert (await lab.run("docker_start")).text == "web runs already."

    started = (await lab.inspected())["State"]["StartedAt"]
    assert (await lab.run("docker_restart", stop_seconds=5)).text == "web was restarted and is running."
    assert (await lab.inspected())["State"]["StartedAt"] != started
    assert lab.said == ["Stopping web", "Restarting web"]

    assert (await lab.run("docker_pause")).text == "web is paused now."
    assert await lab.state() == "paused"
    assert (await lab.run("docker_pause")).text == "web is paused already."
    assert (await lab.run("docker_pause", mode="unpause")).text == "web is running now."
    assert await lab.state() == "running"


async def test_a_paused_container_that_is_started_goes_on(lab: Lab) -> None:
    await lab.engine.run("web")
    await lab.run("docker_pause")
    assert (await lab.run("docker_start")).text == "web was started and is running."


async def test_the_log_is_the_output(lab: Lab) -> None:
    script = "for i in 1 2 3; do echo line $i; done; while true; do sleep 0.2; done"
    await lab.engine.run("web", command=("sh", "-c", script))

    async def read() -> ActionResult | None:
        result = await lab.run("docker_logs", lines=2)
        return result if result.output.count("\n") == 1 else None

    result = await until(read, "two lines")
    assert result is not None
    assert (result.output, result.output_name) == ("line 2\nline 3", "web.log")
    assert result.text == "The last 2 lines of web:"
    timed = await lab.run("docker_logs", lines=1, times=True)
    assert timed.output[:2] == "20"
    assert timed.output.endswith(" line 3")


async def test_only_containers_that_the_source_shows_can_be_meant(lab: Lab) -> None:
    await lab.engine.run("web")
    await lab.engine.run("secret")
    await lab.engine.run("hidden", "--label", "homelab.hide=true")
    lab.config["exclude"] = ["secret"]

    for name in ("secret", "hidden", "gone"):
        with pytest.raises(ActionFailedError, match=f"There is no container “{name}” in “docker”"):
            await lab.run("docker_stop", name)
    for name in ("../images/prune", "web/../secret", "web?x=1", "-web", ""):
        with pytest.raises((HomelabError, ValueError)):
            await lab.run("docker_stop", name)
    assert {await lab.state(name) for name in ("web", "secret", "hidden")} == {"running"}


async def test_the_source_must_be_an_engine(lab: Lab) -> None:
    with pytest.raises(ActionFailedError, match="“nas” is not of the type docker"):
        await lab.run("docker_stop", source="nas")
    with pytest.raises(ActionFailedError, match="no data source “gone”"):
        await lab.run("docker_stop", source="gone")
    await lab.engine.stop()
    with pytest.raises(HomelabError, match="There is no socket"):
        await lab.run("docker_stop")


async def test_a_dry_run_looks_and_does_nothing(lab: Lab) -> None:
    await lab.engine.run("web")
    result = await action_types["docker_stop"](container="web").dry_run(lab.context)
    assert result.text == "Stops the container web of “docker”. It is running now."
    assert await lab.state() == "running"
    with pytest.raises(ActionFailedError, match="no container “gone”"):
        await action_types["docker_stop"](container="gone").dry_run(lab.context)


async def test_a_container_made_anew_keeps_its_config(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    options = ("--env", "COLOUR=green", "--label", "homelab.name=Shop", "--restart", "always", "--memory", "64m")
    await lab.engine.run("web", *options, "--volume", f"{tmp_path / 'data'}:/data", "--volume", "/cache")
    before = await lab.inspected()

    result = await lab.run("docker_recreate", pull=False)

    assert result.text == "web was recreated and runs. Its image is the same as before."
    assert lab.said == ["Replacing web"]
    after = await lab.inspected()
    assert after["Id"] != before["Id"]
    assert await lab.names() == ["web"]
    assert after["State"]["Running"]
    assert "COLOUR=green" in after["Config"]["Env"]
    assert after["Config"]["Labels"]["homelab.name"] == "Shop"
    assert after["Config"]["Cmd"] == list(FOREVER)
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert after["HostConfig"]["Memory"] == 64 * 2**20
    assert mounts(after) == mounts(before)


def mounts(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(mount["Destination"], mount["Source"]) for mount in found["Mounts"]}


async def test_a_newer_image_of_the_name_is_run(lab: Lab) -> None:
    await lab.engine.run("web", "--env", "COLOUR=green")
    await lab.engine.podman("commit", "--change", "ENV FROM_IMAGE=yes", "--pause=false", "web", IMAGE)

    assert (await lab.run("docker_recreate", pull=False)).text == "web was recreated and runs. Its image is new."

    environment = (await lab.inspected())["Config"]["Env"]
    assert {"COLOUR=green", "FROM_IMAGE=yes"} <= set(environment)


async def test_a_stopped_container_stays_stopped(lab: Lab) -> None:
    await lab.engine.run("web")
    await lab.engine.podman("stop", "web")
    assert (await lab.run("docker_recreate", pull=False)).text.startswith("web was recreated. ")
    assert await lab.state() in ("created", "exited")


async def test_the_old_container_is_put_back_where_the_new_one_does_not_run(lab: Lab, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.write_text("yes")
    script = "test -e /bin/ready || exit 7; while true; do sleep 0.2; done"
    # What the container needs is only in the image that it was made of.
    await lab.engine.run("first", command=FOREVER)
    await lab.engine.podman("cp", str(ready), "first:/bin/ready")
    await lab.engine.podman("exec", "first", "busybox", "ln", "-s", "busybox", "/bin/test")
    plain = (await lab.engine.podman("image", "inspect", "--format", "{{.Id}}", IMAGE)).strip()
    await lab.engine.podman("commit", "--pause=false", "first", "localhost/app:latest")
    identity = await lab.engine.run_image("web", "localhost/app:latest", "sh", "-c", script)
    await lab.engine.podman("tag", plain, "localhost/app:latest")

    with pytest.raises(HomelabError, match=r"The new web ended at once with code \d+\. The old one is back and runs"):
        await lab.run("docker_recreate", pull=False)

    after = await lab.inspected()
    assert after["Id"] == identity
    assert after["State"]["Running"]
    assert sorted(await lab.names()) == ["first", "web"]


async def test_the_old_container_is_put_back_where_the_run_is_broken_off(lab: Lab) -> None:
    identity = await lab.engine.run("web")
    run = asyncio.create_task(lab.run("docker_recreate", pull=False))

    async def is_replaced() -> bool:
        return len(await lab.names()) > 1 and await lab.state() == "running"

    await until(is_replaced, "the new container to run beside the old one")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert (await lab.inspected())["Id"] == identity
    assert await lab.state() == "running"
    assert await lab.names() == ["web"]


async def test_an_image_that_cannot_be_pulled_changes_nothing(lab: Lab) -> None:
    identity = await lab.engine.run("web")
    with pytest.raises(HomelabError):
        await lab.run("docker_recreate")  # localhost/busybox is in no registry
    assert (await lab.inspected())["Id"] == identity
    assert await lab.state() == "running"


async def test_a_container_that_goes_when_it_stops_is_not_touched(lab: Lab) -> None:
    identity = await lab.engine.run("web", "--rm")
    with pytest.raises(HomelabError, match="started with --rm"):
        await lab.run("docker_recreate", pull=False)
    assert (await lab.inspected())["Id"] == identity


OLD = {
    "Id": "0123456789abcdef",
    "Config": {
        "Hostname": "0123456789ab",
        "Image": "shop:1",
        "Env": ["PATH=/bin", "COLOUR=green"],
        "Cmd": ["serve"],
        "Entrypoint": ["/own"],
        "Labels": {"built": "yes", "mine": "1"},
        "ExposedPorts": {"80/tcp": {}},
        "MacAddress": "02:42:ac:11:00:02",
        "Domainname": "",
    },
    "HostConfig": {"NetworkMode": "shop_default", "Binds": ["/srv/shop:/data"], "Links": None},
    "Mounts": [
        {"Type": "bind", "Source": "/srv/shop", "Destination": "/data"},
        {"Type": "volume", "Name": "c0ffee", "Destination": "/cache", "RW": False},
    ],
    "NetworkSettings": {
        "Networks": {
            "proxy": {"Aliases": ["0123456789ab"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}, "NetworkID": "x"},
            "shop_default": {"Aliases": ["web", "0123456789ab"], "IPAMConfig": None, "IPAddress": "172.18.0.3"},
        }
    },
}


def test_what_the_image_had_is_left_to_the_new_image() -> None:
    built_in = {
        "Env": ["PATH=/bin"],
        "Cmd": ["serve"],
        "Entrypoint": ["/built-in"],
        "Labels": {"built": "yes"},
        "ExposedPorts": {"80/tcp": {}},
    }
    assert body_of(OLD, built_in) == {
        "Image": "shop:1",
        "Env": ["COLOUR=green"],
        "Entrypoint": ["/own"],
        "Labels": {"mine": "1"},
        "ExposedPorts": {},
        "Volumes": {},
        "HostConfig": {"NetworkMode": "shop_default", "Binds": ["/srv/shop:/data", "c0ffee:/cache:ro"]},
    }


def test_networks_are_those_that_it_was_made_with_and_the_addresses_that_it_was_given() -> None:
    assert list(networks_of(OLD).items()) == [
        ("shop_default", {"Aliases": ["web"]}),
        ("proxy", {"IPAMConfig": {"IPv4Address": "10.0.0.5"}}),
    ]
    assert networks_of({**OLD, "HostConfig": {"NetworkMode": "host"}}) == {}
    assert networks_of({**OLD, "HostConfig": {"NetworkMode": "container:abc"}}) == {}
