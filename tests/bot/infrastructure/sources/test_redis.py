from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from tests.support.local_servers import Authority, nobody, raw_server
from tests.support.programs.servers import running_redis
from tests.support.services import HOST, Service, free_port
from tests.support.waiting import until


@pytest.fixture
async def client(redis: Service) -> AsyncIterator[Redis]:
    client = Redis(host=HOST, port=redis.port, password=redis.password)
    await client.flushall()
    await client.config_resetstat()
    yield client
    await client.aclose()


def config(server: Service, resources: Resources, **more: Any) -> dict[str, Any]:
    resources.secrets.values["redis"] = server.password
    return {"host": HOST, "port": server.port, "password": "${secret:redis}", **more}


def value(reading: Reading, name: str, **labels: str) -> float | None:
    metric = reading.metric(name, labels)
    assert metric is not None, name
    return metric.value


@asynccontextmanager
async def answering(answer: bytes, after: bytes) -> AsyncIterator[int]:
    """A server that answers this once it was sent `after`, whatever it was asked; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(after)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_tells_what_it_holds_and_does(
    read: Any, resources: Resources, redis: Service, client: Redis
) -> None:
    await client.mset({f"key{number}": "x" for number in range(10)})
    await client.set("short", "x", ex=100)
    other = Redis(host=HOST, port=redis.port, password=redis.password, db=3)
    await other.set("one", "1")
    reading = await read("redis", **config(redis, resources))
    await other.aclose()
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "keys") == 12
    assert value(reading, "keys", database="0") == 11
    assert value(reading, "keys", database="3") == 1
    assert value(reading, "clients") == 3
    assert value(reading, "replicas") == 0
    assert value(reading, "memory.total") is None
    assert value(reading, "memory.percent") is None
    for name in ("latency", "memory.used", "memory.peak", "memory.resident", "commands", "network.received"):
        assert value(reading, name), name
    for name in ("clients.blocked", "connections.rejected", "keys.evicted", "keys.expired", "operations.rate"):
        assert value(reading, name) is not None, name
    assert 0 <= value(reading, "last_save.age") < 3_600
    assert [(row["database"], row["keys"], row["expires"]) for row in reading.items["databases"]] == [
        ("0", 11, 1),
        ("3", 1, 0),
    ]
    (row,) = reading.items["server"]
    assert (row["role"], row["mode"], row["eviction"]) == ("primary", "standalone", "noeviction")


async def test_the_share_of_hits_is_that_since_the_reading_before(
    resources: Resources, redis: Service, client: Redis
) -> None:
    await client.set("there", "1")
    reader = open_reader(DataSource(1, "tested", "redis", config=config(redis, resources)), resources)
    assert value(await reader.read(), "hit.percent") is None
    await client.mget("there", "there", "there", "not there")
    assert value(await reader.read(), "hit.percent") == 75
    assert value(await reader.read(), "hit.percent") is None
    await client.get("not there")
    assert value(await reader.read(), "hit.percent") == 0
    await client.config_resetstat()
    await client.get("there")
    assert value(await reader.read(), "hit.percent") == 100


async def test_a_snapshot_that_cannot_be_written_degrades(read: Any, resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with running_redis(tmp_path / "data") as server:
        client = Redis(host=HOST, port=server.port, password=server.password)
        shutil.rmtree(tmp_path / "data")
        await client.bgsave()

        async def failed() -> bool:
            return (await client.info("persistence"))["rdb_last_bgsave_status"] == "err"

        await until(failed, "the snapshot's failure")
        reading = await read("redis", **config(server, resources))
        await client.aclose()
    assert (reading.status, reading.message) == (Status.DEGRADED, "The last snapshot could not be written to disk")


async def test_full_memory_degrades_where_nothing_is_evicted(read: Any, resources: Resources, tmp_path: Path) -> None:
    with running_redis(tmp_path, "--maxmemory", "1mb") as server:
        client = Redis(host=HOST, port=server.port, password=server.password)
        full = await read("redis", **config(server, resources))
        await client.config_set("maxmemory-policy", "allkeys-lru")
        evicting = await read("redis", **config(server, resources))
        await client.aclose()
    if value(full, "memory.used") >= 0.95 * 1024 * 1024:
        assert full.status is Status.DEGRADED
        assert "nothing is evicted" in full.message
    assert value(full, "memory.total") == 1024 * 1024
    assert evicting.status is Status.UP


async def test_a_replica_and_its_primary_tell_of_each_other(read: Any, resources: Resources, tmp_path: Path) -> None:
    for name in ("primary", "replica"):
        (tmp_path / name).mkdir()
    with running_redis(tmp_path / "primary") as primary:
        following = ("--replicaof", f"{HOST} {primary.port}", "--masterauth", primary.password)
        with running_redis(tmp_path / "replica", *following) as replica:

            async def linked() -> Reading | None:
                reading: Reading = await read("redis", **config(replica, resources))
                return reading if value(reading, "replication.link") == 1 else None

            async def followed() -> Reading | None:
                reading: Reading = await read("redis", **config(primary, resources))
                return reading if [row["status"] for row in reading.items["replicas"]] == ["up"] else None

            reading = await until(linked, "the link of the replica")
            above = await until(followed, "the replica to be online")
            client = Redis(host=HOST, port=replica.port, password=replica.password)
            await client.replicaof(HOST, str(free_port()))
            alone = await read("redis", **config(replica, resources))
            await client.aclose()
    assert reading.status is Status.UP
    assert reading.items["server"][0]["role"] == "replica"
    assert reading.items["server"][0]["primary"] == f"{HOST}:{primary.port}"
    assert value(reading, "replication.silence") >= 0
    assert value(above, "replicas") == 1
    assert [row["address"] for row in above.items["replicas"]] == [f"{HOST}:{replica.port}"]
    assert (alone.status, alone.message) == (Status.DEGRADED, "The link to the primary is down")
    assert value(alone, "replication.link") == 0


async def test_credentials_are_checked_and_never_told(
    read: Any, resources: Resources, redis: Service, client: Redis
) -> None:
    good = config(redis, resources)
    with pytest.raises(SourceFailedError, match=r"^The server refuses the user name or password$"):
        await read("redis", **{**good, "password": "wrong"})
    with pytest.raises(SourceFailedError, match=r"^The server asks for a password$"):
        await read("redis", **{**good, "password": ""})
    await client.acl_setuser("guest", enabled=True, passwords=["+guest"], commands=["+ping"])
    with pytest.raises(SourceFailedError, match=r"^This user may not ask for INFO: give it \+info$"):
        await read("redis", **{**good, "username": "guest", "password": "guest"})
    await client.acl_setuser("guest", enabled=True, commands=["+info"])
    assert (await read("redis", **{**good, "username": "guest", "password": "guest"})).status is Status.UP
    await client.acl_deluser("guest")


async def test_a_secret_that_comes_back_is_hidden(read: Any, resources: Resources, tmp_path: Path) -> None:
    with running_redis(tmp_path, "--replicaof", "default.invalid 1") as server:
        resources.secrets.values["name"] = "default"
        reading = await read("redis", **config(server, resources, username="${secret:name}"))
    assert reading.items["server"][0]["primary"] == "•••.invalid:1"


@pytest.fixture
def encrypted(authority: Authority, tmp_path: Path) -> Iterator[tuple[int, Service]]:
    authority.server()
    pem, port = str(tmp_path / "server.pem"), free_port()
    files = ("--tls-cert-file", pem, "--tls-key-file", pem, "--tls-ca-cert-file", str(authority.certificate_path))
    with running_redis(tmp_path, "--tls-port", str(port), "--tls-auth-clients", "no", *files) as server:
        yield port, server


async def test_an_encrypted_server_is_trusted_by_its_authority(
    read: Any, resources: Resources, authority: Authority, encrypted: tuple[int, Service]
) -> None:
    port, server = encrypted
    secure = config(server, resources, tls=True) | {"port": port}
    path = authority.certificate_path
    for certificate in (str(path), path.read_text()):
        assert (await read("redis", **secure, ca_certificate=certificate)).status is Status.UP
    assert (await read("redis", **secure, verify_tls=False)).status is Status.UP
    with pytest.raises(SourceFailedError, match=r"^The certificate is not trusted: self-signed certificate in"):
        await read("redis", **secure)


async def test_a_server_without_tls_is_told_from_one_that_is_not_trusted(read: Any) -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n", after=b"\x01") as port:
        with pytest.raises(SourceFailedError, match=r"^The server does not speak TLS at this port$"):
            await read("redis", host=HOST, port=port, tls=True)


async def test_nobody_there(read: Any) -> None:
    async with nobody() as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(SourceFailedError, match=r"^Connection refused$"):
            await read("redis", host=HOST, port=port)


async def test_a_host_that_does_not_exist(read: Any) -> None:
    with pytest.raises(SourceFailedError, match=r"^The host name is unknown$"):
        await read("redis", host="nowhere.invalid")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$5\r\nhello\r\n",
        b"+OK\r\n",
        b":1\r\n",
        b"*-1\r\n",
        b"$-1\r\n",
        b"*1\r\n*1\r\n:1\r\n",
        b"$x\r\n",
        b"",
        b"\x00\xff\xfe\r\n",
        b"$30\r\nused_memory:much\r\ndb0:keys=a,b\r\n\r\n",
        b"-ERR never heard of it\r\n",
    ],
)
async def test_what_is_no_redis_is_told_or_read_with_gaps(read: Any, answer: bytes) -> None:
    async with answering(answer, after=b"INFO\r\n") as port:
        try:
            reading = await read("redis", host=HOST, port=port)
        except SourceFailedError as error:
            assert str(error)  # noqa: PT017  # either is right
        else:
            assert value(reading, "memory.used") is None


async def test_one_who_never_answers_can_be_left(read: Any) -> None:
    async with raw_server(None) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read("redis", host=HOST, port=port), 0.5)


async def test_a_wrong_config_names_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match="host: Field required"):
        await read("redis")
    with pytest.raises(InvalidConfigError, match="port: Input should be less than or equal to 65535"):
        await read("redis", host="a", port=70_000)
