"""A real container engine: Podman serving Docker's API on a socket, with all it stores in a folder of the test's."""

from __future__ import annotations

import asyncio
import os
import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.support.services import required, service_of_each_test
from tests.support.waiting import until

PROGRAMS = ("podman", "runc", "busybox")
IMAGE = "localhost/busybox:latest"
_APPLETS = ("sh", "sleep", "echo", "true", "false", "cat", "httpd")
_CONFIG = """
[containers]
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
netns="host"
[engine]
events_logger="file"
lock_type="file"
tmp_dir="{tmp}"
[network]
network_config_dir="{networks}"
"""
"""Nothing is shared with this machine's own podman: no locks, no events, no networks."""
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; echo started; while true; do sleep 0.2; done")
"""A container's command that runs until it is told to stop, and obeys at once."""


class PodmanEngine:
    """An engine that runs, stops and runs again; `run` and `podman` use the command line, beside the API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "containers.conf"
        # A socket's path must be short, and those of a test's folder are not.
        self._short = Path(tempfile.mkdtemp(prefix="podman-"))
        self._config.write_text(_CONFIG.format(tmp=self._short / "tmp", networks=folder / "networks"))
        self.socket = self._short / "docker.sock"
        self._service: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    async def start(self) -> None:
        """Serve the API."""
        self._service = await asyncio.create_subprocess_exec(
            *self._command("system", "service", "--time=0", f"unix://{self.socket}"),
            env=self._environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

        async def answers() -> bool:
            try:
                _, writer = await asyncio.open_unix_connection(str(self.socket))
            except OSError:
                return False
            writer.close()
            return True

        await until(answers, "podman to serve its socket")

    async def stop(self) -> None:
        """Serve no more; containers go on."""
        if self._service is not None:
            self._service.kill()
            await self._service.wait()
            self._service = None
        self.socket.unlink(missing_ok=True)

    async def podman(self, *arguments: str) -> str:
        """What the command line prints. Fails when it fails."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        assert process.returncode == 0, f"podman {arguments[0]}: {errors.decode()}"
        return out.decode()

    async def run(self, name: str, *options: str, command: tuple[str, ...] = FOREVER) -> str:
        """Start a container in the background; its id."""
        return (await self.podman("run", "-d", "--name", name, *options, IMAGE, *command)).strip()

    async def run_image(self, name: str, image: str, *command: str) -> str:
        """Start a container of another image; its id."""
        return (await self.podman("run", "-d", "--name", name, image, *command)).strip()

    async def make_image(self) -> None:
        """The one image there is: a static busybox and nothing else."""
        root = self._folder / "image"
        (root / "bin").mkdir(parents=True)
        for folder in ("tmp", "etc", "data"):
            (root / folder).mkdir()
        shutil.copy(shutil.which("busybox") or "", root / "bin" / "busybox")
        for applet in _APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        archive = self._folder / "image.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(root, ".")
        await self.podman("import", "--quiet", str(archive), IMAGE)

    async def clean_up(self) -> None:
        """Stop everything and leave nothing mounted."""
        # No `system reset`: it would also remove the networks of this machine's own podman.
        await self.podman("rm", "--all", "--force", "--time", "0")
        await self.stop()
        # What tidies up after each container runs by itself, and would make its folders again.
        await until(lambda: not self._is_used(), "podman to tidy up")
        shutil.rmtree(self._short)

    def _is_used(self) -> bool:
        place = str(self._short)
        return any(
            place in part for process in psutil.process_iter(["cmdline"]) for part in process.info["cmdline"] or ()
        )

    def _command(self, *arguments: str) -> list[str]:
        places = ["--root", str(self._folder / "root"), "--runroot", str(self._short / "run")]
        return [
            "podman",
            "--runtime",
            "runc",
            "--cgroup-manager",
            "cgroupfs",
            "--storage-driver",
            "vfs",
            *places,
            *arguments,
        ]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_CONF": str(self._config)}


@service_of_each_test
async def podman_engine(tmp_path: Path) -> AsyncIterator[PodmanEngine]:
    """An engine that serves, with an image and without containers."""
    for program in PROGRAMS:
        required(program)
    if os.geteuid() != 0:
        pytest.skip("podman's containers need root here")
    folder = tmp_path / "podman"
    folder.mkdir()
    engine = PodmanEngine(folder)
    try:
        await engine.make_image()
        await engine.start()
        yield engine
    finally:
        await engine.clean_up()
