"""Start, stop or restart a unit of systemd."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionResult, FailedWithOutputError, action_types
from app.bot.infrastructure.actions.remote import Host

_UNIT = r"^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$"
_DONE = {"start": "Started", "stop": "Stopped", "restart": "Restarted", "reload": "Reloaded"}


@action_types.register("systemd_unit")
class SystemdUnit(Host, Action, title="Systemd unit"):
    """Starts, stops, restarts or reloads a unit of systemd.

    On this machine, or on a host by SSH. The user needs the right to do so, by polkit or with sudo.
    """

    unit: str = Field(pattern=_UNIT, description="Name of the unit, such as nginx.service")
    operation: Literal["start", "stop", "restart", "reload"] = Field("restart", description="What to do with it")
    sudo: bool = Field(False, description="Put sudo in front; it must not ask for a password")
    user_unit: bool = Field(False, description="A unit of the user's own, not of the system")

    @field_validator("host")
    @classmethod
    def _strip(cls, host: str) -> str:
        return host.strip()

    def describe(self) -> str:
        """Name the unit, and where it is."""
        return f"{self.operation.capitalize()}s {self.unit} on {self.host or 'this machine'}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Run systemctl, and say how the unit is afterwards."""
        resources = context.resources
        systemctl = [*(["sudo", "-n"] if self.sudo else []), "systemctl", *(["--user"] if self.user_unit else [])]
        arguments = [*systemctl, "--no-ask-password", self.operation, "--", self.unit]
        outcome = await self.run_command(arguments, resources.secrets)
        if outcome.status != 0:
            said = outcome.output.strip().splitlines()
            reason = said[0] if said else "it said nothing"
            raise FailedWithOutputError(f"systemctl did not {self.operation} {self.unit}: {reason}", outcome.output)
        state = await self.run_command([*systemctl, "is-active", "--", self.unit], resources.secrets)
        now = state.output.strip().splitlines()
        return ActionResult(f"{_DONE[self.operation]} {self.unit}; it is {now[0] if now else 'unknown'} now.")
