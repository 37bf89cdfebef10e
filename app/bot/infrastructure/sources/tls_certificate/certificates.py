"""What a TLS server shows: its certificate, whether it is trusted, and for which names it is."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from app.bot.infrastructure.network.connections import ConnectionFailedError, open_stream

_DAY_SECONDS = 86_400
_SELF_SIGNED = frozenset({18, 19})
"""X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT and X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN."""
_EXPIRED = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: told by the days already."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate. `distrust` is why it is not trusted, empty when it is."""

    issuer: str
    subject: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    distrust: str

    def days(self, now: datetime) -> float:
        """Days until it runs out; negative when it did."""
        return (self.ends - now).total_seconds() / _DAY_SECONDS

    def is_for(self, host: str) -> bool:
        """Whether a browser accepts it for this name or address (RFC 9525, section 6)."""
        wanted = _plain(host)
        return any(_matches(_plain(name), wanted) for name in self.names)


async def certificate_of(host: str, port: int, server_name: str, trusted: ssl.SSLContext) -> Certificate:
    """Return the certificate that a server shows. `trusted` checks the chain alone, not the name.

    A server whose certificate is refused is asked once more without a check. Raises ConnectionFailedError.
    """
    distrust = ""
    try:
        return await _show(host, port, server_name, trusted, "")
    except _DistrustedError as error:
        distrust = error.reason
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    unchecked.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    unchecked.set_ciphers("ALL:!aNULL:@SECLEVEL=0")  # also of old devices the certificate is read; nothing else is sent
    return await _show(host, port, server_name, unchecked, distrust)


class _DistrustedError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def _show(host: str, port: int, server_name: str, context: ssl.SSLContext, distrust: str) -> Certificate:
    try:
        async with open_stream(host, port, context, server_name) as stream:
            shown = stream.tls.getpeercert(binary_form=True) if stream.tls else None
    except ConnectionFailedError as error:
        match error.cause:
            case ssl.SSLCertVerificationError() as refused if context.verify_mode is not ssl.CERT_NONE:
                raise _DistrustedError(_words(refused)) from None
            case ssl.SSLError() | ConnectionResetError() if context.verify_mode is not ssl.CERT_NONE:
                raise _DistrustedError("the server speaks only outdated TLS") from None
        raise
    if shown is None:
        raise ConnectionFailedError("The server shows no certificate")
    try:
        return _parse(shown, distrust)
    except ValueError:
        raise ConnectionFailedError("The certificate cannot be read") from None


def _words(refused: ssl.SSLCertVerificationError) -> str:
    if refused.verify_code in _EXPIRED:
        return ""
    if refused.verify_code in _SELF_SIGNED:
        return "it is self-signed"
    return str(refused.verify_message)


def _parse(der: bytes, distrust: str) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    subject = _name(certificate.subject, NameOID.COMMON_NAME)
    try:
        alternative = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        alternative = x509.SubjectAlternativeName([])
    assert isinstance(alternative, x509.SubjectAlternativeName)  # noqa: S101  # what the identifier stands for
    names = [
        *alternative.get_values_for_type(x509.DNSName),
        *map(str, alternative.get_values_for_type(x509.IPAddress)),
    ]
    return Certificate(
        _name(certificate.issuer, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME),
        subject,
        tuple(names),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        distrust,
    )


def _name(name: x509.Name, *attributes: x509.ObjectIdentifier) -> str:
    for attribute in attributes:
        for found in name.get_attributes_for_oid(attribute):
            return str(found.value)
    return name.rfc4514_string()


def _plain(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return name.rstrip(".").encode("idna").decode().casefold()
    except UnicodeError:  # such as a wildcard
        return name.rstrip(".").casefold()


def _matches(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and "." in name[2:]
    return name == host
