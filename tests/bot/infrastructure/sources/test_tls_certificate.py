from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Status
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import Authority, nobody, raw_server


@asynccontextmanager
async def showing(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A server that shows its certificate and waits; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


def here(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, **more}


def days(whole: int) -> timedelta:
    return timedelta(days=whole, hours=1)


async def test_a_good_certificate(read: Any, authority: Authority) -> None:
    async with showing(authority.server(days(60))) as port:
        reading = await read("tls_certificate", servers=[here(port, name="NAS")], ca_certificate=authority.pem)
    assert (reading.status, reading.message) == (Status.UP, "")
    metric = reading.metric("certificate.days", {"name": "NAS"})
    assert 60 < metric.value < 60.1
    row = reading.items["certificates"][0]
    assert {key: row[key] for key in ("name", "address", "issuer", "subject", "names", "trusted", "matches")} == {
        "name": "NAS",
        "address": f"127.0.0.1:{port}",
        "issuer": "Test authority",
        "subject": "Test server",
        "names": ["127.0.0.1"],
        "trusted": True,
        "matches": True,
    }


async def test_the_next_to_run_out_comes_first(read: Any, authority: Authority) -> None:
    async with showing(authority.server(days(60))) as late, showing(authority.server(days(5))) as soon, nobody() as url:
        servers = [here(late, name="late"), here(int(url.rpartition(":")[2]), name="off"), here(soon, name="soon")]
        reading = await read("tls_certificate", servers=servers, ca_certificate=authority.pem)
    assert [row["name"] for row in reading.items["certificates"]] == ["soon", "late", "off"]
    assert [row["status"] for row in reading.items["certificates"]] == ["degraded", "up", "down"]
    assert reading.status is Status.DOWN
    assert reading.message == "soon: The certificate runs out in 5 days; off: Connection refused"
    assert 5 < reading.metric("certificate.days").value < 5.1
    assert reading.metric("certificate.days", {"name": "off"}).value is None


async def test_one_that_has_run_out_is_down(read: Any, authority: Authority) -> None:
    async with showing(authority.server(-days(3))) as port:
        reading = await read("tls_certificate", servers=[here(port)], ca_certificate=authority.pem)
    assert reading.status is Status.DOWN
    assert reading.message == f"127.0.0.1:{port}: The certificate ran out 3 days ago"
    assert -3.1 < reading.metric("certificate.days").value < -3


async def test_one_that_is_not_trusted(read: Any, authority: Authority, resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    resources.secrets.values["ca"] = other.pem
    async with showing(authority.server()) as port:
        reading = await read("tls_certificate", servers=[here(port)])
        assert reading.status is Status.DEGRADED
        assert reading.message.endswith("The certificate is not trusted: unable to get local issuer certificate")
        assert reading.items["certificates"][0]["trusted"] is False
        assert reading.metric("certificate.days").value > 50
        reading = await read("tls_certificate", servers=[here(port)], ca_certificate="${secret:ca}")
        assert reading.status is Status.DEGRADED
        reading = await read("tls_certificate", servers=[here(port)], check_trust=False)
        assert (reading.status, reading.message) == (Status.UP, "")


@pytest.mark.parametrize(
    ("issued_for", "wanted", "fits"),
    [
        ("nas.lan", "nas.lan", True),
        ("*.lab.lan", "nas.lab.lan", True),
        ("*.lab.lan", "a.nas.lab.lan", False),
        ("*.lab.lan", "lab.lan", False),
        ("nas.lan", "NAS.lan", True),
        ("nas.lan", "router.lan", False),
        ("127.0.0.1", "nas.lan", False),
        ("xn--mnchen-3ya.lan", "münchen.lan", True),
    ],
)
async def test_names(read: Any, authority: Authority, issued_for: str, wanted: str, fits: bool) -> None:
    async with showing(authority.server(address=issued_for)) as port:
        servers = [here(port, server_name=wanted)]
        reading = await read("tls_certificate", servers=servers, ca_certificate=authority.pem)
    assert reading.items["certificates"][0]["matches"] is fits
    assert reading.items["certificates"][0]["trusted"] is True
    assert reading.status is (Status.UP if fits else Status.DEGRADED)
    problem = "" if fits else f"{wanted}:{port}: The certificate is for another name: {issued_for}"
    assert reading.message == problem


async def test_the_name_is_asked_for(read: Any, authority: Authority) -> None:
    plain, named = authority.server(), authority.server(address="nas.lan")
    plain.sni_callback = lambda connection, name, _context: (
        setattr(connection, "context", named) if name == "nas.lan" else None
    )
    async with showing(plain) as port:
        servers = [here(port, server_name="nas.lan")]
        reading = await read("tls_certificate", servers=servers, ca_certificate=authority.pem)
    assert reading.items["certificates"][0]["names"] == ["nas.lan"]


async def test_outdated_tls_is_read_and_told(read: Any, authority: Authority) -> None:
    tls = authority.server()
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-ECDSA-AES128-CCM")  # not among those that Python takes for good
    async with showing(tls) as port:
        reading = await read("tls_certificate", servers=[here(port)], ca_certificate=authority.pem)
    assert reading.metric("certificate.days").value > 50
    assert reading.status is Status.DEGRADED
    assert reading.message.endswith("The certificate is not trusted: the server speaks only outdated TLS")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(b"220 mail\r\n", "The server does not speak TLS at this port"), (b"", "The server closed the connection")],
)
async def test_no_tls_there(read: Any, answer: bytes, problem: str) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reading = await read("tls_certificate", servers=[here(port)])
    assert (reading.status, reading.message) == (Status.DOWN, f"127.0.0.1:{port}: {problem}")


async def test_one_that_hangs_does_not_hold_up_others(read: Any, authority: Authority) -> None:
    async with raw_server(None) as url, showing(authority.server()) as port:
        servers = [here(int(url.rpartition(":")[2]), name="hangs"), here(port, name="good")]
        reading = await read("tls_certificate", servers=servers, ca_certificate=authority.pem, wait_seconds=3)
    assert {row["name"]: row["status"] for row in reading.items["certificates"]} == {"good": "up", "hangs": "down"}
    assert reading.message == "hangs: No answer within 3 s"


async def test_a_wrong_authority_names_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match="ca_certificate: this is no certificate"):
        await read("tls_certificate", servers=[here(1)], ca_certificate="nonsense")
