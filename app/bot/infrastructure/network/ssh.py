"""SSH connections of sources and actions: the host's key is always checked, and nothing is read from ~/.ssh/config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.network.pem import read_pem
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.threads import in_thread

if TYPE_CHECKING:
    import asyncssh

_CONNECT_SECONDS = 15
_KEEPALIVE_SECONDS = 15


class SshFailedError(HomelabError):
    """There is no SSH connection; the text is the reason, without credentials."""


class SshLogin(BaseModel):
    """How to log in to a host by SSH: fields that every config with an SSH address has."""

    ssh_known_hosts: str = Field(
        "~/.ssh/known_hosts",
        min_length=1,
        max_length=100_000,
        description="The host keys to trust: lines as `ssh-keyscan host` prints them, or the path of such a file",
    )
    ssh_key: str = Field(
        "",
        max_length=100_000,
        description="Private key: ${secret:name}, or the path of its file. Empty: the keys of the bot's own user",
    )
    ssh_passphrase: str = Field("", max_length=1_000, description="Passphrase of the key, as ${secret:name}")
    ssh_password: str = Field("", max_length=1_000, description="Password to log in with, as ${secret:name}")


async def open_ssh(
    host: str, port: int, user: str, login: SshLogin, secrets: SecretUse
) -> asyncssh.SSHClientConnection:
    """Return a connection; the caller closes it. It ends by itself when the host is silent for a minute.

    Raises SshFailedError, InvalidConfigError that names the field, or UnknownSecretError.
    """
    library = await in_thread(_load, "load-ssh")  # half a second, which the event loop does not have
    options = await _options(library, login, secrets)
    try:
        connection: asyncssh.SSHClientConnection = await library.connect(
            host,
            port,
            username=user or (),
            config=None,
            connect_timeout=_CONNECT_SECONDS,
            login_timeout=_CONNECT_SECONDS,
            keepalive_interval=_KEEPALIVE_SECONDS,
            **options,
        )
    except library.HostKeyNotVerifiable:
        raise SshFailedError(
            f"The SSH host key of {host} is not among the known hosts. Enter under ssh_known_hosts what "
            f"`ssh-keyscan -p {port} {host}` prints, once you have compared it with the host's own"
        ) from None
    except library.PermissionDenied:
        raise SshFailedError(f"{host} refused the SSH log-in. Check the user, and ssh_key or ssh_password") from None
    except library.Error as error:
        raise SshFailedError(f"No SSH connection: {shorten(secrets.hide(one_line(error.reason)), 200)}") from None
    except (OSError, ValueError) as error:
        raise SshFailedError(f"No SSH connection: {explain(error)}") from None
    return connection


def _load() -> Any:
    import asyncssh

    return asyncssh


async def _options(asyncssh: Any, login: SshLogin, secrets: SecretUse) -> dict[str, Any]:
    hosts = await read_pem("ssh_known_hosts", login.ssh_known_hosts, secrets)
    key = await read_pem("ssh_key", login.ssh_key, secrets) if login.ssh_key else ""
    passphrase = await secrets.fill(login.ssh_passphrase) or None
    password = await secrets.fill(login.ssh_password) or None
    try:
        options: dict[str, Any] = {"known_hosts": asyncssh.import_known_hosts(hosts), "password": password}
    except ValueError:
        raise InvalidConfigError("ssh_known_hosts: enter lines as `ssh-keyscan host` prints them") from None
    if key:
        try:
            options["client_keys"] = [await in_thread(lambda: asyncssh.import_private_key(key, passphrase), "ssh-key")]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
            raise InvalidConfigError(
                "ssh_key: this is no private key, or ssh_passphrase does not open it. Enter the whole file, "
                "from -----BEGIN to -----END"
            ) from None
    if key or password:
        options["agent_path"] = None
        options.setdefault("client_keys", None)
    return options
