from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.shared.chart_worker import MAX_SPECIFICATION_BYTES, RefusedError, check_drawing, writable
from app.shared.charts import ChartError, ChartRenderer, ChartTimeoutError
from tests.support.local_servers import http_server
from tests.support.loop_monitor import LONGEST_SECONDS, monitored_loop
from tests.support.waiting import until

POINT: dict[str, Any] = {"data": {"values": [{"a": 1}]}, "mark": "point", "width": 40, "height": 30}


@pytest.fixture
async def renderer() -> AsyncIterator[ChartRenderer]:
    renderer = ChartRenderer(timeout_seconds=30)
    yield renderer
    await renderer.close()


def spec(**changes: Any) -> str:
    return json.dumps({**POINT, **changes})


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


async def test_draws_with_two_pixels_for_each_unit(renderer: ChartRenderer) -> None:
    width, height = size(await renderer.render(spec(padding=0)))
    assert (width, height) == (80, 60)


async def test_one_process_draws_all_beside_the_loop(renderer: ChartRenderer) -> None:
    await renderer.render(spec())
    process_id = renderer.process_id
    with monitored_loop() as monitor:
        await asyncio.gather(*(renderer.render(spec(width=number)) for number in range(20, 26)))
    assert renderer.process_id == process_id != os.getpid()
    assert monitor.longest < LONGEST_SECONDS, str(monitor)


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        ("{", "no JSON"),
        ("[1]", "JSON object"),
        ("{}", "Invalid specification"),
        (spec(mark="nope"), "Vega-Lite"),
        (spec(params=[{"name": "x", "expr": "1 +"}]), "parse"),
        (spec(width=50_000), "width must be from 1 to 2000"),
        (spec(height=1e308), "height must be"),
        (spec(data={"url": "https://example.org/data.json"}), "cannot be loaded"),
        (spec(data={"url": "file:///etc/passwd", "format": {"type": "csv"}}), "cannot be loaded"),
        (
            spec(transform=[{"lookup": "a", "from": {"data": {"url": "/etc/passwd"}, "key": "a", "fields": ["b"]}}]),
            "cannot be loaded",
        ),
    ],
)
async def test_a_bad_specification_is_refused_with_its_reason(
    renderer: ChartRenderer, specification: str, words: str
) -> None:
    with pytest.raises(ChartError, match=words) as refused:
        await renderer.render(specification)
    assert len(str(refused.value)) < 350
    assert "\n" not in str(refused.value)
    assert await renderer.render(spec())


async def test_a_huge_specification_is_not_even_sent(renderer: ChartRenderer) -> None:
    with pytest.raises(ChartError, match="at most 2"):
        await renderer.render(spec(description="x" * MAX_SPECIFICATION_BYTES))
    assert renderer.process_id is None


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("scheme", ["http", "file", ""])
async def test_a_picture_in_a_chart_cannot_be_read_from_anywhere(
    renderer: ChartRenderer, scheme: str, computed: bool, tmp_path: Path
) -> None:
    png = tmp_path / "secret.png"
    png.write_bytes(await renderer.render(spec()))
    asked: list[str] = []

    async def serve(request: Any) -> Any:
        asked.append(request.path)
        raise AssertionError

    async with http_server(serve) as base:
        address = {"http": f"{base}/x.png", "file": f"file://{png}", "": str(png)}[scheme]
        data = {"values": [{"start": address[:3], "rest": address[3:], "u": address}]}
        transform = [{"calculate": "datum.start + datum.rest", "as": "u"}] if computed else []
        mark = {"type": "image", "width": 20, "height": 20}
        with pytest.raises(ChartError, match="must be embedded"):
            await renderer.render(spec(data=data, transform=transform, mark=mark, encoding={"url": {"field": "u"}}))
        with pytest.raises(ChartError):
            await renderer.render(spec(data={"url": address}))
    assert not asked


async def test_an_embedded_picture_is_drawn(renderer: ChartRenderer) -> None:
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5Er"
        "kJggg=="
    )
    mark = {"type": "image", "width": 20, "height": 20, "url": pixel}
    with_picture = await renderer.render(spec(mark=mark))
    assert with_picture != await renderer.render(spec(mark={"type": "point", "opacity": 0}))


@pytest.mark.parametrize(
    "inner",
    [
        '<image xlink:href="data:image/svg+xml;base64,AAAA"/>',
        '<image href="/etc/passwd"/>',
        '<use href="/etc/passwd#x"/>',
        "<style>@import url(file:///etc/passwd)</style>",
        '<g><filter><feImage href="file:///x"/></filter></g>',
        "<broken",
    ],
)
def test_a_drawing_that_refers_to_anything_outside_is_refused(inner: str) -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
    check_drawing(f"{head}</svg>")
    with pytest.raises(RefusedError):
        check_drawing(f"{head}{inner}</svg>")


async def test_text_in_any_script_is_drawn(renderer: ChartRenderer) -> None:
    texts = ["שלום עולם", "مرحبا", "漢字", "👩‍👩‍👧", "\u202eabc", "**b** <@1> </text><image href='/etc/passwd'/>"]
    encoding = {"text": {"field": "t"}}
    assert await renderer.render(spec(data={"values": [{"t": text} for text in texts]}, mark="text", encoding=encoding))


async def test_what_takes_too_long_is_ended_and_the_next_chart_is_drawn() -> None:
    renderer = ChartRenderer(timeout_seconds=1.5)
    try:
        await renderer.render(spec())
        process_id = renderer.process_id
        endless = {"sequence": {"start": 0, "stop": 3e6, "as": "x"}}
        slow = [
            {"calculate": f"replace(pad('', 9999, 'x'), regexp('x', 'g'), '{number}')", "as": f"c{number}"}
            for number in range(9)
        ]
        with pytest.raises(ChartTimeoutError, match="Show less"):
            await renderer.render(spec(data=endless, transform=slow))
        assert renderer.process_id is None
        assert await renderer.render(spec())
        assert renderer.process_id != process_id
    finally:
        await renderer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
async def test_what_takes_too_much_memory_ends_its_own_process_only(renderer: ChartRenderer) -> None:
    with pytest.raises(ChartError, match="too much"):
        await renderer.render(spec(data={"sequence": {"start": 0, "stop": 1e9, "as": "x"}}))
    assert await renderer.render(spec())


async def test_characters_that_would_crash_the_library_are_replaced(renderer: ChartRenderer) -> None:
    await renderer.render(spec())
    process_id = renderer.process_id
    for text in ["a\x00b\x08\x0c\x1f", "\uffff\ufffe", "\ud800", "\\u0000 \\\\u0000 \\b"]:
        assert await renderer.render(spec(mark={"type": "text", "text": text}, description=text))
    assert renderer.process_id == process_id


def test_only_the_wrong_characters_are_replaced() -> None:
    fine = {"a": "\\u0000 \\\\b \n\t \x7f 👩‍👩‍👧 \\"}
    assert json.loads(writable(fine)) == fine
    assert json.loads(writable({"a": "x\x00y\uffff"})) == {"a": "x\ufffdy\ufffd"}


async def test_a_process_that_others_kill_is_replaced(renderer: ChartRenderer) -> None:
    await renderer.render(spec())
    assert renderer.process_id is not None
    os.kill(renderer.process_id, signal.SIGKILL)
    assert await renderer.render(spec())


async def test_a_process_killed_while_it_draws_draws_again() -> None:
    """The process stands still before it answers, and is killed there."""
    renderer = ChartRenderer(timeout_seconds=30)
    try:
        await renderer.render(spec())
        process_id = renderer.process_id
        assert process_id is not None
        os.kill(process_id, signal.SIGSTOP)
        drawing = asyncio.create_task(renderer.render(spec()))
        await asyncio.sleep(0.05)
        assert not drawing.done()
        os.kill(process_id, signal.SIGKILL)
        assert size(await drawing)
        assert renderer.process_id != process_id
    finally:
        await renderer.close()


async def test_an_answer_that_nobody_waits_for_is_not_given_to_the_next(renderer: ChartRenderer) -> None:
    await renderer.render(spec())
    drawing = asyncio.create_task(renderer.render(spec(width=500)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    drawing.cancel()
    await asyncio.gather(drawing, return_exceptions=True)
    assert size(await renderer.render(spec(padding=0))) == (80, 60)


async def test_the_process_ends_when_nobody_wants_charts() -> None:
    renderer = ChartRenderer(idle_seconds=0.01)
    try:
        await renderer.render(spec())
        await until(lambda: renderer.process_id is None, "the process to end")
        assert await renderer.render(spec())
    finally:
        await renderer.close()


async def test_the_process_knows_no_secret_and_has_no_other_folder(
    renderer: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    await renderer.render(spec())
    environment, folder = await asyncio.to_thread(_facts_of, renderer.process_id)
    assert "DISCORD_TOKEN" not in environment
    assert "TZ=UTC" in environment
    assert folder == Path("/")


def _facts_of(process_id: int | None) -> tuple[str, Path]:
    place = Path(f"/proc/{process_id}")
    if not place.exists():
        pytest.skip("no /proc here")
    return (place / "environ").read_text(), (place / "cwd").readlink()


async def test_no_process_is_an_error_of_the_system() -> None:
    for command in (["/nonexistent"], [sys.executable, "-c", "pass"]):
        renderer = ChartRenderer(command=command)
        with pytest.raises(OSError, match=r"No such file|does not start"):
            await renderer.render(spec())
        await renderer.close()


async def test_nothing_is_drawn_after_the_end(renderer: ChartRenderer) -> None:
    await renderer.render(spec())
    await renderer.close()
    with pytest.raises(OSError, match="stops"):
        await renderer.render(spec())
    assert renderer.process_id is None
