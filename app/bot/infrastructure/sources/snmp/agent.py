"""Questions to an SNMP agent, by pysnmp. It is large and slow to import, and only loaded when a source asks for it."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.network.connections import addresses_of
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.threads import in_thread

_LIBRARY = "pysnmp.hlapi.v3arch.asyncio"
_BATCH = 20
"""Values asked for at once: an answer must fit a datagram of 1,472 bytes."""
_REPETITIONS = 20
_TEXT_CHARACTERS = 300
_AUTHENTICATION = {
    "none": "USM_AUTH_NONE",
    "md5": "USM_AUTH_HMAC96_MD5",
    "sha": "USM_AUTH_HMAC96_SHA",
    "sha224": "USM_AUTH_HMAC128_SHA224",
    "sha256": "USM_AUTH_HMAC192_SHA256",
    "sha384": "USM_AUTH_HMAC256_SHA384",
    "sha512": "USM_AUTH_HMAC384_SHA512",
}
_PRIVACY = {
    "none": "USM_PRIV_NONE",
    "des": "USM_PRIV_CBC56_DES",
    "aes": "USM_PRIV_CFB128_AES",
    "aes192": "USM_PRIV_CFB192_AES",
    "aes256": "USM_PRIV_CFB256_AES",
}
_REASONS = {
    "RequestTimedOut": "No answer: is the address right, and does the agent know this community or user?",
    "UnknownUserName": "The agent does not know this user",
    "WrongDigest": "The agent refuses the password, or authenticates in another way",
    "DecryptionError": "The agent refuses the password for privacy, or encrypts in another way",
    "UnsupportedSecurityLevel": "The agent asks for more, or less, authentication and privacy from this user",
    "UnsupportedSecLevel": "The agent asks for more, or less, authentication and privacy from this user",
    "NotInTimeWindow": "The agent's clock and ours do not fit together",
    "OidNotIncreasing": "The agent repeats itself",
    "UnknownCommunityName": "The agent does not know this community",
}

Value = float | int | str | None
"""A number, a text, or nothing where the agent has none. Ticks of time are seconds."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks."""

    version: str
    community: str = field(repr=False)
    username: str
    authentication: str
    authentication_password: str = field(repr=False)
    privacy: str
    privacy_password: str = field(repr=False)


class Agent:
    """An agent at an address, asked through a socket that is kept."""

    def __init__(self, library: Any, engine: Any, target: Any) -> None:
        self._library = library
        self._engine = engine
        self._target = target

    @classmethod
    async def open(cls, host: str, port: int, seconds: float, retries: int) -> Agent:
        """Resolve the address. Raises ConnectionFailedError."""
        address = (await addresses_of(host))[0]
        library: Any = await in_thread(lambda: importlib.import_module(_LIBRARY), "import-pysnmp")
        transport = library.Udp6TransportTarget if ":" in address else library.UdpTransportTarget
        engine = await in_thread(library.SnmpEngine, "snmp-engine")  # which reads MIBs for a tenth of a second
        target = await transport.create((address, port), timeout=seconds, retries=retries)
        return cls(library, engine, target)

    def close(self) -> None:
        """Let go of the socket."""
        self._engine.close_dispatcher()

    async def get(self, login: Login, oids: Sequence[str]) -> dict[str, Value]:
        """Return the values of these objects. Raises SourceFailedError."""
        found: dict[str, Value] = {}
        for start in range(0, len(oids), _BATCH):
            batch = list(dict.fromkeys(oids[start : start + _BATCH]))
            # Version 1 answers nothing at all when one of several is missing.
            for part in [[oid] for oid in batch] if login.version == "1" else [batch]:
                found.update(await self._get(login, part))
        return found

    async def _get(self, login: Login, oids: Sequence[str]) -> dict[str, Value]:
        asked = [self._library.ObjectType(self._library.ObjectIdentity(oid)) for oid in oids]
        with self._named_failures():
            indication, status, _, found = await self._library.get_cmd(
                self._engine, self._login(login), self._target, self._library.ContextData(), *asked, lookupMib=False
            )
        if login.version == "1" and not indication and int(status) == 2:  # noSuchName
            return dict.fromkeys(oids)
        _check(indication, status)
        if len(found) != len(oids):
            raise SourceFailedError("The answer does not fit the question")
        return {oid: _value(bound[1]) for oid, bound in zip(oids, found, strict=True)}

    async def walk(self, login: Login, oid: str, limit: int) -> dict[str, Value]:
        """Return what is below an object, at most `limit` values, by what follows it. Raises SourceFailedError."""
        library, root = self._library, library_oid(oid)
        asked = library.ObjectType(library.ObjectIdentity(oid))
        common = (self._engine, self._login(login), self._target, library.ContextData())
        options = {"lookupMib": False, "lexicographicMode": False}
        if login.version == "1":
            answers = library.walk_cmd(*common, asked, **options)
        else:
            answers = library.bulk_walk_cmd(*common, 0, _REPETITIONS, asked, **options)
        found: dict[str, Value] = {}
        with self._named_failures():
            async with contextlib.aclosing(answers):
                async for indication, status, _, bound in answers:
                    _check(indication, status)
                    for name, value in bound:
                        identity = tuple(name)
                        if identity[: len(root)] != root or len(found) == limit:
                            return found
                        found[".".join(map(str, identity[len(root) :]))] = _value(value)
        return found

    def _login(self, login: Login) -> Any:
        library = self._library
        if login.version != "3":
            return library.CommunityData(login.community, mpModel=0 if login.version == "1" else 1)
        return library.UsmUserData(
            login.username,
            login.authentication_password or None,
            login.privacy_password or None,
            authProtocol=getattr(library, _AUTHENTICATION[login.authentication]),
            privProtocol=getattr(library, _PRIVACY[login.privacy]),
        )

    @contextlib.contextmanager
    def _named_failures(self) -> Any:
        """Yield what the library raises, in words that hold nothing that was sent."""
        from pyasn1.error import PyAsn1Error
        from pysnmp.error import PySnmpError

        try:
            yield
        except (PySnmpError, PyAsn1Error, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise SourceFailedError(f"The agent cannot be asked: {type(error).__name__}") from None


def library_oid(oid: str) -> tuple[int, ...]:
    """Return an identifier as numbers."""
    return tuple(map(int, oid.split(".")))


def _check(indication: Any, status: Any) -> None:
    """Check an answer. Raises SourceFailedError when it is a failure."""
    if indication:
        kind = type(indication).__name__
        raise SourceFailedError(_REASONS.get(kind, f"The agent says: {shorten(one_line(str(indication)), 100)}"))
    if status:
        told = status.prettyPrint() if hasattr(status, "prettyPrint") else status
        raise SourceFailedError(f"The agent says: {shorten(one_line(str(told)), 100)}")


def _value(value: Any) -> Value:
    kind = type(value).__name__
    match kind:
        case "NoSuchObject" | "NoSuchInstance" | "EndOfMibView" | "Null":
            return None
        case "TimeTicks":
            return int(value) / 100
        case "Integer" | "Integer32" | "Counter32" | "Counter64" | "Gauge32" | "Unsigned32":
            return int(value)
        case "OctetString" | "Bits":
            return _text(bytes(value))
    return shorten(str(value.prettyPrint()), _TEXT_CHARACTERS)


def _text(content: bytes) -> str:
    """Return what is no text, such as the address of a network card, as hexadecimal digits."""
    try:
        text = content.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return content[:_TEXT_CHARACTERS].hex(":")
    if any(not one.isprintable() and not one.isspace() for one in text):
        return content[:_TEXT_CHARACTERS].hex(":")
    return shorten(one_line(text), _TEXT_CHARACTERS)
