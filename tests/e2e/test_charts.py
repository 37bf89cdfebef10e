"""Charts on a simulated Discord: drawn, attached, replaced and kept."""

from __future__ import annotations

from typing import Any

import discord

from tests.e2e.lab import Lab, answer_of, components_of, heading, page_select, refresh_button, text_of
from tests.support.waiting import until


def gauge(metric: str = "cpu", **columns: Any) -> dict[str, Any]:
    series = [{"source": "lab", "metric": metric}]
    return {"type": "chart", "config": {"kind": "gauge", "series": series, "height": 120}, **columns}


def readings(**values: float) -> dict[str, Any]:
    return {"metrics": [{"name": name, "value": value, "unit": "percent"} for name, value in values.items()]}


def pictures(message: Any) -> list[str]:
    """Addresses of the pictures that a message shows; each is an attachment of its own."""
    shown = [item["media"]["url"] for part in components_of(message) for item in part.get("items", ())]
    assert sorted(shown) == sorted(attachment.url for attachment in message.attachments)
    return shown


def bytes_of(lab: Lab, message: Any) -> list[bytes]:
    found = [lab.env.backend.cdn.get(address) for address in pictures(message)]
    assert all(png is not None and png.startswith(b"\x89PNG") for png in found)
    return [png for png in found if png is not None]


async def shows(lab: Lab, count: int) -> discord.Message:
    def found() -> discord.Message | None:
        return next((message for message in lab.messages() if len(message.attachments) == count), None)

    message = await until(found, lambda: f"{count} pictures; shown is {lab.shown()}")
    assert message is not None
    return message


async def change(lab: Lab, **values: float) -> None:
    await lab.owner.execute("UPDATE data_sources SET config = $1 WHERE name = 'lab'", readings(**values))


async def test_a_chart_is_in_the_first_message_and_is_replaced_when_it_changes(lab: Lab) -> None:
    await lab.source(name="lab", config=readings(cpu=42, ram=60), interval_seconds=1)
    await lab.dashboard(heading("Lab"), gauge("cpu"), gauge("ram"), refresh_rate=2)
    message = await shows(lab, 2)
    assert lab.edits == 0, "it was not posted before its charts were drawn"
    cpu, ram = pictures(message)

    await change(lab, cpu=93, ram=60)
    await until(lambda: cpu not in pictures(lab.messages()[0]), "the chart to be replaced")
    after = lab.messages()[0]
    assert pictures(after)[1] == ram, "what did not change was kept"
    assert len(after.attachments) == 2
    assert len({bytes(png) for png in bytes_of(lab, after)}) == 2
    uploads = [url for url in lab.env.backend.cdn._blobs if url.endswith(".png")]
    assert len(uploads) == 3


async def test_an_answer_to_one_user_has_its_charts(lab: Lab) -> None:
    await lab.source(name="lab", config=readings(cpu=42), interval_seconds=3600)
    await lab.dashboard(heading("Alone"), gauge(), channel_id=None, name="Alone")
    await lab.until_synced("dashboard", "status", "sources")

    async def read() -> bool:
        return bool(await lab.owner.fetchval("SELECT count(*) FROM source_states WHERE reading IS NOT NULL"))

    await until(read, "the source to be read")
    result = await lab.alice.slash(lab.channel, "dashboard show", name="Alone")
    answer = answer_of(result)
    assert "Alone" in text_of(answer)
    assert len(bytes_of(lab, answer)) == 1


async def test_pages_have_their_own_charts_and_none_is_left_behind(lab: Lab) -> None:
    await lab.source(name="lab", config=readings(cpu=42, ram=60), interval_seconds=3600)
    await lab.dashboard(
        heading("Pages"),
        page_select("one", "two", "none"),
        gauge("cpu", page="one"),
        gauge("ram", page="two"),
        gauge("cpu", page="two", name="again"),
        {**heading("Nothing here"), "page": "none"},
        refresh_rate=3600,
    )
    message = await shows(lab, 1)
    (first,) = pictures(message)
    for page, count in [("two", 2), ("none", 0), ("one", 1)]:
        result = await lab.alice.select(message, values=[page])
        assert result.acknowledged
        message = lab.messages()[0]
        assert len(pictures(message)) == count
        if page == "two":
            assert first in pictures(message), "the picture that both pages show was kept"
    assert lab.edits == 0


async def test_after_a_restart_the_message_goes_on_with_one_picture(lab: Lab) -> None:
    await lab.source(name="lab", config=readings(cpu=42), interval_seconds=1)
    await lab.dashboard(heading("Lab"), gauge(), refresh_button(), refresh_rate=2)
    (before,) = pictures(await shows(lab, 1))
    await lab.until_remembered()
    await lab.restart()
    await change(lab, cpu=77)
    await until(lambda: pictures(lab.messages()[0]) != [before], "the chart to be replaced")
    message = lab.messages()[0]
    assert len(message.attachments) == 1
    assert "Drawing" not in lab.shown()
    assert len(lab.messages()) == 1


async def test_a_chart_that_cannot_be_drawn_says_why_in_its_place(lab: Lab) -> None:
    spec = {"mark": "nope", "encoding": {}}
    await lab.dashboard(heading("Lab"), {"type": "vega_lite", "config": {"spec": spec}})
    message = await lab.until_shown("Vega")
    assert "Lab" in text_of(message)
    assert not message.attachments
