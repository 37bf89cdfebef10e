"""TLS with an authority and a client certificate of its own, as Docker's engines use it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from app.bot.domain.errors import InvalidConfigError
from app.bot.infrastructure.network.pem import read_pem
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.threads import in_thread


async def client_context(authority: str, certificate: str, key: str, secrets: SecretUse) -> ssl.SSLContext:
    """Return what a client uses that trusts this authority (empty: the system's) and shows this certificate, if any.

    Raises InvalidConfigError that names the field, or UnknownSecretError.
    """
    trusted = await read_pem("tls_ca", authority, secrets) if authority else None
    shown = await read_pem("tls_certificate", certificate, secrets) if certificate else ""
    proof = await read_pem("tls_key", key, secrets) if key else ""
    return await in_thread(lambda: _context(trusted, shown, proof), "tls")


def _context(authority: str | None, certificate: str, key: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise InvalidConfigError("tls_ca: this is no certificate. Enter the whole file ca.pem") from None
    if certificate:
        _show(context, certificate, key)
    return context


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    # Python's ssl takes a certificate only from a file; this one is the bot's alone, and gone at once.
    with tempfile.TemporaryDirectory(prefix="homelab-tls-") as folder:
        file = Path(folder) / "client.pem"
        file.touch(mode=0o600)
        file.write_text(f"{key}\n{certificate}\n")
        try:
            context.load_cert_chain(file, password="")
        except (ssl.SSLError, ValueError, OSError):
            raise InvalidConfigError(
                "tls_certificate: this and tls_key are no certificate with its key. Enter the whole files cert.pem and "
                "key.pem; the key must have no passphrase"
            ) from None
