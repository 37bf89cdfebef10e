"""Where a command runs: on this machine, or on a host by SSH."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.network.shell import CommandOutcome, run_here, run_over_ssh
from app.bot.infrastructure.network.ssh import SshLogin, open_ssh
from app.bot.infrastructure.secrets import SecretUse


class Host(SshLogin):
    """A host that commands run on. Fields of every config that names one."""

    host: str = Field("", max_length=253, description="Host name or address")
    port: int = Field(22, ge=1, le=65_535, description="Port of SSH")
    user: str = Field("", max_length=64, description="User to log in as; empty for the bot's own name")

    async def run_command(self, arguments: Sequence[str], secrets: SecretUse, stdin: str = "") -> CommandOutcome:
        """Run a program there; on this machine where no host is named. Raises HomelabError."""
        if not self.host:
            return await run_here(arguments, stdin)
        if self.host.startswith("-"):
            raise HomelabError("host: no host name begins with a dash")
        connection = await open_ssh(self.host, self.port, self.user, self, secrets)
        try:
            return await run_over_ssh(connection, arguments, stdin)
        finally:
            connection.close()
