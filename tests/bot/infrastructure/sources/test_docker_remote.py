"""Engines on other machines: by TLS with certificates on both sides, and by SSH."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Status
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import Authority, http_server, nobody, raw_server
from tests.support.programs.containers import PodmanEngine
from tests.support.programs.servers import SshServer


@asynccontextmanager
async def relay(socket: Path, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """A server that hands every connection on to the engine's socket, as Docker itself listens on a port."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(copy(reader, engine_writer), copy(engine_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def known_hosts(server: SshServer) -> str:
    """The line that `ssh-keyscan` prints."""
    return f"[127.0.0.1]:{server.port} {server.host_key}\n"


@pytest.fixture
async def tls_address(podman_engine: PodmanEngine, authority: Authority) -> AsyncIterator[str]:
    """The engine behind a port that asks clients for a certificate of the authority."""
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    async with relay(podman_engine.socket, context) as address:
        yield address


async def test_plain_tcp(podman_engine: PodmanEngine, read: Any) -> None:
    await podman_engine.run("web")
    async with relay(podman_engine.socket, None) as address:
        reading = await read("docker", address=f"tcp://{address}", stats=False)
    assert [row["name"] for row in reading.items["containers"]] == ["web"]


async def test_tls_with_certificates_from_secrets(
    podman_engine: PodmanEngine, tls_address: str, authority: Authority, resources: Resources, read: Any
) -> None:
    await podman_engine.run("web")
    certificate, key = authority.client()
    # A form with a single line takes the line breaks away.
    resources.secrets.values |= {"ca": authority.pem, "cert": certificate, "key": key.replace("\n", " ")}
    reading = await read(
        "docker",
        address=f"tcp://{tls_address}",
        tls_ca="${secret:ca}",
        tls_certificate="${secret:cert}",
        tls_key="${secret:key}",
        stats=False,
    )
    assert reading.status is Status.UP
    assert [row["name"] for row in reading.items["containers"]] == ["web"]


async def test_tls_with_certificates_from_files(
    tls_address: str, authority: Authority, tmp_path: Path, read: Any
) -> None:
    certificate, key = authority.client()
    files = {"tls_ca": authority.pem, "tls_certificate": certificate, "tls_key": key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    paths = {name: str(tmp_path / name) for name in files}
    reading = await read("docker", address=f"https://{tls_address}", stats=False, **paths)
    assert reading.status is Status.UP


async def test_a_certificate_of_another_authority_is_refused(tls_address: str, read: Any) -> None:
    with pytest.raises(HomelabError, match="The certificate is not trusted"):
        await read("docker", address=f"https://{tls_address}")


async def test_a_client_without_a_certificate_is_refused(tls_address: str, authority: Authority, read: Any) -> None:
    with pytest.raises(HomelabError, match=r"TLS|reset|closed|broke off"):
        await read("docker", address=f"https://{tls_address}", tls_ca=authority.pem)


async def test_wrong_certificates_name_the_field(read: Any, authority: Authority) -> None:
    certificate, _ = authority.client()
    _, key = authority.client()
    with pytest.raises(InvalidConfigError, match="tls_certificate: this and tls_key are no certificate with its key"):
        await read("docker", address="https://host", tls_certificate=certificate, tls_key=key)
    with pytest.raises(InvalidConfigError, match="tls_ca: this is no certificate"):
        await read("docker", address="https://host", tls_ca="nonsense")
    with pytest.raises(InvalidConfigError, match=r"tls_ca: the file /nowhere/ca\.pem cannot be read"):
        await read("docker", address="https://host", tls_ca="/nowhere/ca.pem")


async def test_ssh(podman_engine: PodmanEngine, sshd: SshServer, resources: Resources, read: Any) -> None:
    await podman_engine.run("web")
    resources.secrets.values["key"] = sshd.private_key
    reading = await read(
        "docker",
        address=f"ssh://{sshd.username}@127.0.0.1:{sshd.port}{podman_engine.socket}",
        ssh_known_hosts=known_hosts(sshd),
        ssh_key="${secret:key}",
    )
    assert reading.status is Status.UP
    assert [row["name"] for row in reading.items["containers"]] == ["web"]


async def test_an_unknown_host_key_is_refused(sshd: SshServer, read: Any) -> None:
    other = known_hosts(sshd).replace(str(sshd.port), "1")
    address = f"ssh://{sshd.username}@127.0.0.1:{sshd.port}"
    with pytest.raises(HomelabError, match=f"ssh-keyscan -p {sshd.port} 127.0.0.1"):
        await read("docker", address=address, ssh_known_hosts=other, ssh_key=sshd.private_key)


async def test_a_wrong_ssh_key_is_refused(sshd: SshServer, read: Any) -> None:
    address, hosts = f"ssh://{sshd.username}@127.0.0.1:{sshd.port}", known_hosts(sshd)
    with pytest.raises(HomelabError, match="refused the SSH log-in"):
        await read("docker", address=address, ssh_known_hosts=hosts, ssh_password="wrong")
    with pytest.raises(InvalidConfigError, match="ssh_key: this is no private key"):
        await read("docker", address=address, ssh_known_hosts=hosts, ssh_key="nonsense")
    with pytest.raises(InvalidConfigError, match="ssh_known_hosts: the file /nowhere cannot be read"):
        await read("docker", address=address, ssh_known_hosts="/nowhere", ssh_key=sshd.private_key)


async def test_no_socket_behind_ssh(sshd: SshServer, read: Any) -> None:
    with pytest.raises(HomelabError, match=r"/nowhere.sock on 127.0.0.1 closed the connection"):
        await read(
            "docker",
            address=f"ssh://{sshd.username}@127.0.0.1:{sshd.port}/nowhere.sock",
            ssh_known_hosts=known_hosts(sshd),
            ssh_key=sshd.private_key,
        )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>", "not one of Docker's"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[1,]", "not one of Docker's"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{", "broke off"),
        (b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]", "not one of Docker's"),
        (b"220 mail.example.org\r\n", "not HTTP|not one of Docker's"),
        (b"", "without an answer"),
    ],
)
async def test_what_is_no_docker_is_said(read: Any, answer: bytes, problem: str) -> None:
    async with raw_server(answer) as url:
        with pytest.raises(HomelabError, match=problem):
            await read("docker", address=url.replace("http", "tcp"))


async def test_redirects_in_circles_end(read: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(request.path)

    async with http_server(answer) as url:
        with pytest.raises(HomelabError, match="redirected in circles"):
            await read("docker", address=url)


async def test_a_huge_answer_is_not_read_to_its_end(read: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            for _ in range(100):
                await response.write(b"[" * 1_000_000)
        except ConnectionError:
            pass
        return response

    async with http_server(answer) as url:
        with pytest.raises(HomelabError, match="larger than 16 MB"):
            await read("docker", address=url)


async def test_nobody_listens(read: Any) -> None:
    async with nobody() as url:
        with pytest.raises(HomelabError, match="Connection refused"):
            await read("docker", address=url)


async def test_a_proxy_that_allows_little(read: Any) -> None:
    listed = [{"Id": "a" * 64, "Names": ["/web"], "State": "running", "Image": "shop:1"}]

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"ApiVersion": "1.47"})
        if request.path == "/v1.47/containers/json":
            return web.json_response(listed)
        return web.Response(status=403, text="<html>403 Forbidden</html>", content_type="text/html")

    async with http_server(answer) as url:
        reading = await read("docker", address=url, stats=False)
        assert (reading.status, reading.message) == (Status.UP, "")
        assert [row["status"] for row in reading.items["containers"]] == ["running"]
        reading = await read("docker", address=url)
        assert reading.status is Status.DEGRADED
        assert reading.message.startswith("The statistics cannot be read: Docker refused")
