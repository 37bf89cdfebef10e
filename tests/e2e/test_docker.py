"""A real engine, a real bot: what happens to a container is seen in Discord."""

from __future__ import annotations

from typing import Any

from tests.e2e.lab import Lab, components_of, heading, text_of
from tests.support import factories
from tests.support.programs.containers import PodmanEngine
from tests.support.waiting import until

_NEVER = 3_600
"""An interval that no test waits for: what is seen was told by the engine."""


async def test_a_labelled_container_adds_itself_and_a_stop_is_seen_at_once(
    lab: Lab, podman_engine: PodmanEngine
) -> None:
    await lab.dashboard(heading("Everything"), name="Home")
    await lab.until_shown("Everything")
    await lab.source(
        name="docker",
        type="docker",
        config={"address": podman_engine.address, "stats": False},
        interval_seconds=_NEVER,
    )
    labels = ("homelab.dashboard=Home, Other", "homelab.name=Shop", "homelab.group=Sales", "homelab.icon=🛒")
    await podman_engine.run("web", *(part for label in labels for part in ("--label", label)))
    message = await lab.until_shown("🟢 🛒 **Shop**")

    await podman_engine.podman("stop", "web")
    assert (await lab.until_shown("🔴 🛒 **Shop** · exited")).id == message.id

    await podman_engine.podman("start", "web")
    await lab.until_shown("🟢 🛒 **Shop**")

    await podman_engine.podman("rm", "--force", "--time", "0", "web")
    await until(lambda: "Shop" not in lab.shown(), "the container to go")
    await lab.until_shown("Everything")


async def test_nothing_is_sent_while_nothing_happens(lab: Lab, podman_engine: PodmanEngine) -> None:
    await podman_engine.run("web", "--label", "homelab.dashboard=Home")
    await lab.source(name="docker", type="docker", config={"address": podman_engine.address}, interval_seconds=1)
    await lab.dashboard(heading("Everything"), name="Home")
    await lab.until_shown("🟢 **web**")
    await lab.until_remembered()
    edits = lab.edits
    first = await lab.owner.fetchval("SELECT polled_at FROM source_states")

    async def polled_again() -> bool:
        return bool(
            await lab.owner.fetchval("SELECT polled_at > $1::timestamptz + interval '5 s' FROM source_states", first)
        )

    await until(polled_again, "further polls")
    assert lab.edits == edits


async def test_a_button_in_a_list_restarts_its_container(lab: Lab, podman_engine: PodmanEngine) -> None:
    await podman_engine.run("web")
    await podman_engine.run("db")
    await lab.source(name="docker", type="docker", config={"address": podman_engine.address}, interval_seconds=_NEVER)
    await factories.action(
        lab.owner,
        name="restart",
        type="docker_restart",
        config={
            "container": "${params.container}",
            "parameters": [
                {"name": "container", "type": "choice", "choices_from": {"source": "docker", "items": "containers"}}
            ],
        },
    )
    button = {"label": "${item.name}", "do": "action", "action": "restart", "parameters": {"container": "${item.name}"}}
    buttons = {"type": "buttons", "config": {"buttons": [button]}}
    await lab.dashboard(
        {"type": "repeat", "config": {"source": "docker", "items": "containers", "children": [buttons]}}
    )
    message = await until(
        lambda: next((one for one in lab.messages() if {"web", "db"} <= labels_of(one)), None), "two buttons"
    )
    started = await podman_engine.podman("inspect", "--format", "{{.State.StartedAt}}", "web", "db")

    result = await lab.ada.click(message, label="web")

    assert "web was restarted and is running." in text_of(await lab.until_over(result))
    now = await podman_engine.podman("inspect", "--format", "{{.State.StartedAt}}", "web", "db")
    assert [one == other for one, other in zip(started.split("\n"), now.split("\n"), strict=True)][:2] == [False, True]


def labels_of(message: Any) -> set[str]:
    return {component.get("label", "") for component in components_of(message)}


async def test_an_engine_that_goes_is_said_on_the_dashboard(lab: Lab, podman_engine: PodmanEngine) -> None:
    await podman_engine.run("web", "--label", "homelab.dashboard=Home")
    await lab.source(
        name="docker",
        title="Docker",
        type="docker",
        config={"address": podman_engine.address},
        interval_seconds=_NEVER,
    )
    await lab.dashboard(heading("Everything"), name="Home")
    await lab.until_shown("🟢 **web**")

    await podman_engine.stop()
    await lab.until_shown("🔴 **Docker** · ")

    await podman_engine.start()
    await lab.until_shown("🟢 **web**")
