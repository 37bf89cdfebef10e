"""A real engine, a real bot: what happens to a container is seen in Discord."""

from __future__ import annotations

from tests.e2e.lab import Lab, heading
from tests.programs.containers import PodmanEngine
from tests.waiting import until

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
