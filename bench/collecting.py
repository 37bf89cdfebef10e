"""5,000 HTTP checks every 30 seconds against a local server: processor time, memory, and how late the polls begin.

The collection is the bot's own, in a process of its own, with the readers that the bot uses; the server is another
process. Where Debian's Prometheus and blackbox exporter are installed, they make the same checks afterwards: the
nearest thing to the same work that comes as a package.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from app.bot.application.collecting.collector import Collector, CollectorConfig
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.readings.source import DataSource, SourceState
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.open_files import allow_many_files
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources
from tests.support.in_memory import InMemoryDashboards, definitions_of

CHECKS = int(os.environ.get("BENCH_CHECKS", "5000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "120"))
INTERVAL = 30.0
HANGING_SHARE = 0.01
"""Of the checks, those whose server never answers: they must delay nobody."""


async def run() -> None:
    """Print a line for the bot, and one for the peer where it is there."""
    print(f"{CHECKS:,} HTTP checks every {INTERVAL:g} s for {SECONDS:g} s, {HANGING_SHARE:.0%} of them hanging")
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.collecting", "server", stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    try:
        collected = await _measured_bot(port)
        print(
            f"homelab           {collected['cpu']:7.1f} CPU s   {collected['memory']:6.0f} MiB   "
            f"late p50 {collected['p50'] * 1000:7.1f} ms  p99 {collected['p99'] * 1000:7.1f} ms   "
            f"{collected['polls'] / SECONDS:6.1f} checks/s of {CHECKS / INTERVAL:.1f}"
        )
        peer = await _measured_peer(port)
        if peer is None:
            print("prometheus + blackbox exporter are not installed: nothing to compare with")
        else:
            print(
                f"prometheus        {peer['cpu']:7.1f} CPU s   {peer['memory']:6.0f} MiB   "
                f"{'':41}{peer['polls'] / SECONDS:6.1f} checks/s"
            )
            print(f"processor time: {collected['cpu'] / peer['cpu']:.2f} of the peer's")
    finally:
        server.kill()
        await server.wait()


async def _measured_bot(port: int) -> dict[str, float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.collecting", "collect", str(port), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    found: dict[str, float] = json.loads(output.decode().splitlines()[-1])
    return found


class _NoStates:
    async def save_states(self, states: Sequence[SourceState]) -> None:
        """Save nothing: what is measured is the collection, not the database."""


async def _collect(port: int) -> dict[str, float]:
    allow_many_files()
    hanging = max(int(CHECKS * HANGING_SHARE), 1)
    sources = [
        DataSource(
            number,
            f"check {number}",
            "http_check",
            config={"url": f"http://127.0.0.1:{port}/{'hang' if number <= hanging else 'ok'}/{number}"},
            interval_seconds=INTERVAL,
        )
        for number in range(1, CHECKS + 1)
    ]
    definitions = definitions_of(InMemoryDashboards(()), sources)
    await definitions.reload()
    statistics = Statistics()
    session = make_session()
    resources = Resources(session, None, statistics)  # type: ignore[arg-type]  # no config here names a secret
    states: Any = _NoStates()
    collector = Collector(
        definitions,
        ReadingStore(),
        lambda source, _poll_soon: open_reader(source, resources),
        states,
        CollectorConfig(),
        statistics=statistics,
    )
    task = asyncio.create_task(collector.run())
    await asyncio.sleep(INTERVAL)  # the first round is made at once; what counts is the pace after it
    polls, cpu = statistics.polls, time.process_time()
    await asyncio.sleep(SECONDS)
    gauges = statistics.gauges()
    result = {
        "cpu": time.process_time() - cpu,
        "memory": psutil.Process().memory_info().rss / 1024 / 1024,
        "p50": gauges["lateness.p50"][0] or 0.0,
        "p99": gauges["lateness.p99"][0] or 0.0,
        "polls": float(statistics.polls - polls),
    }
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await session.close()
    return result


async def _measured_peer(port: int) -> dict[str, float] | None:
    prometheus, blackbox = shutil.which("prometheus"), shutil.which("prometheus-blackbox-exporter")
    if prometheus is None or blackbox is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        probe, own = _free_port(), _free_port()
        config, modules = _peer_files(Path(folder), port, probe)
        quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
        children = [
            await asyncio.create_subprocess_exec(
                blackbox, f"--config.file={modules}", f"--web.listen-address=127.0.0.1:{probe}", **quiet
            ),
            await asyncio.create_subprocess_exec(
                prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{own}",
                **quiet,
            ),
        ]
        try:
            await asyncio.sleep(INTERVAL)
            processes = [psutil.Process(child.pid) for child in children]
            before = sum(_cpu(process) for process in processes)
            answered = await _answered(port)
            await asyncio.sleep(SECONDS)
            return {
                "cpu": sum(_cpu(process) for process in processes) - before,
                "memory": sum(process.memory_info().rss for process in processes) / 1024 / 1024,
                "polls": await _answered(port) - answered,
            }
        finally:
            for child in children:
                child.kill()
                await child.wait()


def _peer_files(folder: Path, port: int, probe: int) -> tuple[Path, Path]:
    """Return the same checks for the peer, hanging ones included, as JSON: it is YAML as well."""
    hanging = max(int(CHECKS * HANGING_SHARE), 1)
    targets = [f"http://127.0.0.1:{port}/{'hang' if n <= hanging else 'ok'}/{n}" for n in range(1, CHECKS + 1)]
    scrape = {
        "job_name": "checks",
        "metrics_path": "/probe",
        "scrape_interval": f"{INTERVAL:g}s",
        "static_configs": [{"targets": targets}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{probe}"},
        ],
    }
    config, modules = folder / "prometheus.yml", folder / "blackbox.yml"
    config.write_text(json.dumps({"scrape_configs": [scrape]}))
    modules.write_text(json.dumps({"modules": {"http_2xx": {"prober": "http", "timeout": "10s"}}}))
    return config, modules


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _answered(port: int) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return float(answer.rpartition(b"\r\n\r\n")[2])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    count = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal count
        if request.path == "/count":
            return web.Response(text=str(count))
        count += 1
        if request.path.startswith("/hang"):
            await asyncio.sleep(3_600)
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1_024).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "server":
        asyncio.run(_serve())
    else:
        print(json.dumps(asyncio.run(_collect(int(sys.argv[2])))), flush=True)
