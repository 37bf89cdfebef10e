"""Results as Ookla's speedtest 1.2, speedtest-cli 2.1.3 and librespeed-cli 1.0 print them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.bot.application.collecting.polling import Reader
from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources
from tests.support.fake_programs import FakePrograms
from tests.support.waiting import until

OOKLA = {
    "type": "result",
    "timestamp": "2024-05-01T12:00:00Z",
    "ping": {"jitter": 0.5, "latency": 8.25, "low": 7.9, "high": 9.1},
    "download": {"bandwidth": 117_000_000, "bytes": 940_000_000, "elapsed": 8005},
    "upload": {"bandwidth": 5_000_000, "bytes": 40_000_000, "elapsed": 8100},
    "packetLoss": 0,
    "isp": "Example Net",
    "server": {"id": 1234, "host": "speed.example.net", "name": "Example", "location": "Berlin", "country": "Germany"},
    "result": {"id": "abc", "url": "https://www.speedtest.net/result/c/abc", "persisted": True},
}
PYTHON = {
    "download": 93_600_000.5,
    "upload": 40_000_000.0,
    "ping": 12.5,
    "server": {"name": "Berlin", "sponsor": "Example", "id": "1234", "latency": 12.5},
    "timestamp": "2024-05-01T12:00:00Z",
    "bytes_sent": 50_000_000,
    "share": None,
    "client": {"ip": "192.0.2.1", "isp": "Example Net"},
}
LIBRESPEED = [
    {
        "timestamp": "2024-05-01T12:00:00Z",
        "server": {"name": "Amsterdam, Netherlands", "url": "https://ams.example/"},
        "client": {"ip": "192.0.2.1", "org": "AS64500 Example Net"},
        "ping": 20,
        "jitter": 1.5,
        "upload": 40.0,
        "download": 93.5,
        "share": "",
    }
]
OOKLA_ARGUMENTS = "--format=json --accept-license --accept-gdpr"
Open = Callable[..., Reader]


@pytest.fixture
async def opened(resources: Resources) -> AsyncIterator[Open]:
    readers: list[Reader] = []

    def open_one(polled: Callable[[], None] = lambda: None, **config: Any) -> Reader:
        source = DataSource(1, "line", "speedtest", config=config)
        readers.append(open_reader(source, replace(resources, poll_soon=polled)))
        return readers[-1]

    yield open_one
    for reader in readers:
        await reader.close()


@pytest.fixture
def measured(opened: Open) -> Callable[..., Any]:
    """Reads, waits for the end of the test, and reads again."""

    async def measure(**config: Any) -> Reading:
        asked: list[None] = []
        reader = opened(lambda: asked.append(None), **config)
        first = await reader.read()
        assert (first.status, first.message) == (Status.UNKNOWN, "The first test is running")
        await until(lambda: asked, "the end of the test")
        return await reader.read()

    return measure


def values(reading: Reading) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in reading.metrics if metric.name != "age"}


async def test_the_program_of_ookla(measured: Any, programs: FakePrograms) -> None:
    programs.prints("speedtest", {OOKLA_ARGUMENTS + " --server-id 1234": json.dumps(OOKLA)})
    reading = await measured(server=1234)
    assert (reading.status, reading.message) == (Status.UP, "")
    expected = {"download": 936e6, "upload": 40e6, "latency": 0.00825, "jitter": 0.0005, "loss": 0}
    assert values(reading) == pytest.approx(expected)
    (row,) = reading.items["tests"]
    link = "https://www.speedtest.net/result/c/abc"
    assert row == {"server": "Example, Berlin", "provider": "Example Net", "link": link}


@pytest.mark.parametrize("program", ["speedtest-cli", "speedtest"])
async def test_the_program_in_python_under_both_its_names(measured: Any, programs: FakePrograms, program: str) -> None:
    programs.prints(program, {"--json --secure": json.dumps(PYTHON)})
    reading = await measured(program=program)
    found = values(reading)
    assert (found["download"], found["upload"], found["latency"]) == (93_600_000.5, 40e6, 0.0125)
    assert (found["jitter"], found["loss"]) == (None, None)
    assert reading.items["tests"][0]["server"] == "Example, Berlin"


async def test_librespeed(measured: Any, programs: FakePrograms) -> None:
    programs.prints("librespeed-cli", {"--json": json.dumps(LIBRESPEED)})
    reading = await measured(program="librespeed-cli", slow_download=100, slow_upload=10)
    assert values(reading) == {"download": 93.5e6, "upload": 40e6, "latency": 0.02, "jitter": 0.0015, "loss": None}
    assert (reading.status, reading.message) == (Status.DEGRADED, "The download is below 100 Mbit/s")


async def test_one_test_serves_many_readings(opened: Open, programs: FakePrograms, tmp_path: Path) -> None:
    count = tmp_path / "count"
    programs.put("speedtest", f"#!/bin/sh\necho x >> {count}\necho '{json.dumps(OOKLA)}'\n")
    asked: list[None] = []
    reader = opened(lambda: asked.append(None))
    await reader.read()
    await until(lambda: asked, "the end of the test")
    for _ in range(3):
        assert (await reader.read()).status is Status.UP
    assert count.read_text() == "x\n"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'Configuration - No network' >&2; exit 2", "speedtest failed: Configuration - No network"),
        ("echo nonsense", "speedtest printed no result"),
        ("echo '[]'", "speedtest printed no result"),
        ("""echo '{"type": "log"}'""", "speedtest printed no result"),
    ],
)
async def test_a_test_that_failed(measured: Any, programs: FakePrograms, script: str, problem: str) -> None:
    programs.put("speedtest", f"#!/bin/sh\n{script}\n")
    with pytest.raises(HomelabError, match=problem):
        await measured()


async def test_no_program(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name, path: None)
    with pytest.raises(HomelabError, match="librespeed-cli is not installed on the machine the bot runs on"):
        await measured(program="librespeed-cli")


async def test_closing_ends_a_test(opened: Open, programs: FakePrograms) -> None:
    programs.put("speedtest", "#!/bin/sh\nexec sleep 600\n")
    reader = opened()
    await reader.read()
    await reader.close()
