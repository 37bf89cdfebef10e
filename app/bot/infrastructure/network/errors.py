"""Why a connection or a request failed, in words that a person understands; nothing of what was sent is repeated."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl

import aiohttp

_REASONS = {
    errno.ECONNREFUSED: "Connection refused",
    errno.ECONNRESET: "The connection was reset",
    errno.EPIPE: "The connection was reset",
    errno.EHOSTUNREACH: "No route to the host",
    errno.ENETUNREACH: "The network is unreachable",
    errno.ETIMEDOUT: "No answer to the connection attempt",
}
_EXPLANATIONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientHttpProxyError, "The proxy refused the connection"),
    (aiohttp.ClientProxyConnectionError, "The proxy cannot be reached"),
    (aiohttp.ClientConnectorDNSError, "The host name is unknown"),
    (socket.gaierror, "The host name is unknown"),
    (TimeoutError, "No answer in time"),
    (aiohttp.ServerDisconnectedError, "The server closed the connection without an answer"),
    (aiohttp.ClientPayloadError, "The answer broke off"),
    (aiohttp.ClientResponseError, "The answer is not HTTP"),
    (asyncio.IncompleteReadError, "The server closed the connection"),
    (ConnectionResetError, "The server closed the connection"),
)
"""The first that fits counts."""
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""OpenSSL's names for an answer that is not TLS."""


def explain(error: BaseException, otherwise: str = "The host name cannot be used") -> str:
    """Return why it failed. `otherwise` is said of what the network did not refuse, but a library: a wrong address."""
    if (reason := _of_tls(error)) is not None:
        return reason
    for kind, reason in _EXPLANATIONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, ValueError) or not isinstance(error, OSError):
        return otherwise
    return _of_system(error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error)


def explain_cause(error: BaseException) -> str | None:
    """Return why the network failed below a library's error; None where it did not."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None else explain(cause)


def _of_system(error: OSError) -> str:
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    if error.errno:
        return f"No connection: {os.strerror(error.errno)}"
    return "Connection refused" if "Connect call failed" in str(error) else "No connection"


def _of_tls(error: BaseException) -> str | None:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _untrusted(error.certificate_error)
        case ssl.SSLCertVerificationError():
            return _untrusted(error)
        case aiohttp.ClientSSLError():
            reason, no_tls = error.os_error, "No TLS connection: the server does not speak TLS there (is it http://?)"
        case ssl.SSLError():
            reason, no_tls = error, "The server does not speak TLS at this port"
        case _:
            return None
    name = str(getattr(reason, "reason", None) or "")
    return (
        no_tls if name in _NOT_TLS else f"No TLS connection: {name.replace('_', ' ').lower() or 'the handshake failed'}"
    )


def _untrusted(error: Exception) -> str:
    why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "it does not fit the host"
    return f"The certificate is not trusted: {why}"
