"""Proxmox VE, as its API documents itself: a task is asked for, and watched until it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import ValidationError

from app.bot.application.actions.base import ActionFailedError
from app.bot.infrastructure.actions import proxmox
from app.bot.infrastructure.actions.proxmox import Proxmox
from tests.bot.infrastructure.actions.conftest import Run
from tests.support.local_servers import http_server

TASK = "UPID:pve:0000C530:001C9BEC:6561D9F1:qmstart:101:root@pam!bot:"


@dataclass
class Pve:
    """A node. `ends` is how tasks end; the first look finds them running."""

    ends: str = "OK"
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "PVEAPIToken=s3cr3t-t0ken":
            return web.Response(status=401, reason="authentication failure")
        self.asked.append((request.method, request.path, await request.text()))
        if request.method == "POST":
            return web.json_response({"data": TASK})
        looks = sum(method == "GET" for method, _, _ in self.asked)
        if looks == 1:
            return web.json_response({"data": {"status": "running"}})
        return web.json_response({"data": {"status": "stopped", "exitstatus": self.ends}})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxmox, "_POLL_SECONDS", 0.01)


async def test_a_guest_is_started_and_the_task_watched(run: Run) -> None:
    pve = Pve()
    async with http_server(pve.handle) as address:
        result = await run("proxmox", url=address, token="${secret:token}", node="pve", vmid=101)

    assert result.text == "Started qemu/101 on pve."
    assert pve.asked[0][:2] == ("POST", "/api2/json/nodes/pve/qemu/101/status/start")
    assert pve.asked[1][1] == f"/api2/json/nodes/pve/tasks/{TASK}/status"
    assert len(pve.asked) == 3


async def test_a_snapshot_has_a_name_and_a_failed_task_says_why(run: Run) -> None:
    pve = Pve(ends="snapshot feature is not available")
    async with http_server(pve.handle) as address:
        config = {"url": address, "node": "pve", "vmid": 101, "guest": "lxc", "operation": "snapshot", "snapshot": "a1"}
        with pytest.raises(ActionFailedError, match="did not snapshot lxc/101: snapshot feature is not available"):
            await run("proxmox", token="${secret:token}", **config)
        with pytest.raises(ActionFailedError, match="The API token is not valid"):
            await run("proxmox", token="wrong", **config)
    assert pve.asked[0] == ("POST", "/api2/json/nodes/pve/lxc/101/snapshot", "snapname=a1")


@pytest.mark.parametrize("wrong", [{"node": "../x"}, {"vmid": 7}, {"snapshot": "a b"}, {"operation": "destroy"}])
def test_what_could_lead_elsewhere_is_refused(wrong: dict[str, object]) -> None:
    config = {"url": "https://pve:8006", "token": "t", "node": "pve", "vmid": 101}
    with pytest.raises(ValidationError):
        Proxmox.model_validate({**config, **wrong})
