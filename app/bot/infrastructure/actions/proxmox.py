"""Start, stop, shut down, restart or snapshot a guest of Proxmox VE."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode

from pydantic import Field
from yarl import URL

from app.bot.infrastructure.actions.base import (
    Action,
    ActionContext,
    ActionFailedError,
    ActionResources,
    ActionResult,
    action_types,
)
from app.bot.infrastructure.network.http_requests import Request, send
from app.bot.infrastructure.sources.http_request import HttpAddress

_MAX_ANSWER = 256 * 1024
_POLL_SECONDS = 1.0
_DONE = {
    "start": "Started",
    "stop": "Stopped",
    "shutdown": "Shut down",
    "reboot": "Restarted",
    "snapshot": "Took a snapshot of",
}
_REASONS = {
    401: "The API token is not valid. It looks like user@pam!name=uuid.",
    403: "The API token may not do this. Give it VM.PowerMgmt, or VM.Snapshot, on this guest.",
    404: "There is no such address. Is it that of Proxmox VE, with its port 8006?",
}


@action_types.register("proxmox")
class Proxmox(Action, title="Proxmox"):
    """Starts, stops, shuts down, restarts or snapshots a virtual machine or container of Proxmox VE.

    The API token needs VM.PowerMgmt, or VM.Snapshot, on the guest.
    """

    encoded_fields: ClassVar[frozenset[str]] = frozenset({"url"})

    url: HttpAddress = Field(description="Address of Proxmox VE, such as https://pve.lan:8006")
    token: str = Field(min_length=1, description="API token as user@realm!name=uuid, best as ${secret:name}")
    node: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$", description="Name of the node that the guest is on")
    guest: Literal["qemu", "lxc"] = Field("qemu", description="qemu: a virtual machine; lxc: a container")
    vmid: int = Field(ge=100, le=999_999_999, description="Number of the guest, such as 101")
    operation: Literal["start", "stop", "shutdown", "reboot", "snapshot"] = Field(
        "start", description="What to do; stop is like pulling the plug"
    )
    snapshot: str = Field(
        "homelab", pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,39}$", description="Name of the snapshot, where one is taken"
    )
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted, as Proxmox's own is at first")

    def describe(self) -> str:
        """Name the guest, and what becomes of it."""
        verbs = {"shutdown": "Shuts down", "snapshot": f"Takes the snapshot {self.snapshot} of"}
        verb = verbs.get(self.operation, f"{self.operation.capitalize()}s")
        return f"{verb} {self.guest}/{self.vmid} on {self.node}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Ask for it, and wait until the task is over."""
        resources = context.resources
        what = f"{self.guest}/{self.vmid}"
        if self.operation == "snapshot":
            task = await self._ask(resources, "POST", f"{what}/snapshot", {"snapname": self.snapshot})
        else:
            task = await self._ask(resources, "POST", f"{what}/status/{self.operation}", {})
        await context.progress(f"Proxmox is at it: {self.operation} of {what}")
        status: Any = {"status": "running"}
        while isinstance(task, str) and status.get("status") == "running":
            await asyncio.sleep(_POLL_SECONDS)
            status = await self._ask(resources, "GET", f"tasks/{quote(task, safe='')}/status")
        said = status.get("exitstatus", "OK")
        if said != "OK" and not str(said).startswith("WARNINGS"):
            raise ActionFailedError(f"Proxmox did not {self.operation} {what}: {str(said)[:300]}")
        return ActionResult(f"{_DONE[self.operation]} {what} on {self.node}.")

    async def _ask(
        self, resources: ActionResources, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> Any:
        token = await resources.secrets.fill(self.token)
        headers = {"Authorization": f"PVEAPIToken={token}"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        base = (await resources.secrets.fill(self.url, quoted=True)).rstrip("/")
        url = URL(f"{base}/api2/json/nodes/{self.node}/{path}", encoded=True)
        body = urlencode(form).encode() if form is not None else None
        async with send(resources.session, Request(method, url, headers, body, self.verify_tls)) as answer:
            content, _ = await answer.read(_MAX_ANSWER)
        if answer.status != 200:  # Proxmox answers nothing else that is good
            reason = _REASONS.get(answer.status) or (answer.response.reason or "")[:300]
            raise ActionFailedError(f"Proxmox answered {answer.status}. {reason}".strip())
        try:
            data = json.loads(content)["data"]
        except (ValueError, KeyError, TypeError):
            raise ActionFailedError("That is not the answer of Proxmox VE. Check the address.") from None
        return data if isinstance(data, (str, dict)) else {}
