"""The program as a newcomer runs it, and a real browser to look at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path(
    next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "/usr/bin/chromium")
)
"""Debian's name for it, Ubuntu's, Google's; the tests that need it are skipped where there is none."""
START_SECONDS = 90.0
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Running:
    """The two addresses that `homelab demo` prints."""

    demo_url: str
    setup_url: str

    @property
    def admin_url(self) -> str:
        """The web admin's address without the set-up link."""
        return self.setup_url.partition("/setup")[0]


@contextmanager
def running_demo(data_dir: Path, command: str = "demo") -> Iterator[Running]:
    """`homelab demo` (or `gallery`) on a data folder and free ports of its own, stopped as Ctrl-C does."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("HOMELAB_", "DISCORD_", "DATABASE_"))
    }
    ports = {"HOMELAB_WEB_PORT": str(_free_port()), "HOMELAB_DEMO_PORT": str(_free_port())}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", command],
        env={**kept, **ports, "HOMELAB_DATA_DIR": str(data_dir), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        yield _addresses(process)
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    quiet = ("--disable-quic", "--disable-background-networking", "--disable-sync", "--disable-gpu", "--no-sandbox")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(quiet))
        try:
            yield chromium
        finally:
            chromium.close()


def _addresses(process: subprocess.Popen[str]) -> Running:
    assert process.stdout is not None
    said, demo, setup = [], None, None
    for line in process.stdout:
        said.append(line)
        demo = demo or re.search(r"http://127\.0\.0\.1:\d+/#\S+", line)
        setup = setup or re.search(r"http://\S+/setup\?token=\S+", line)
        if demo and setup:
            # Whoever writes into a pipe that nobody reads stops when it is full.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return Running(demo.group(), setup.group())
    raise AssertionError("the demo did not start:\n" + "".join(said))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
