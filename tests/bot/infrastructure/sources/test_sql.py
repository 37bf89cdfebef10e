from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncmy
import asyncpg
import pytest
from sqlalchemy import make_url

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Status
from app.bot.infrastructure.sources import Resources, SourceFailedError
from app.shared.database.core.connection import connect
from tests.support.database import Database
from tests.support.local_servers import Authority
from tests.support.programs.servers import running_mariadb
from tests.support.services import HOST, Service, free_port

ORDERS = """
CREATE TABLE orders (id int PRIMARY KEY, shop varchar(20), total numeric(10, 2), made timestamp, note varchar(50));
INSERT INTO orders VALUES (1, 'north', 12.50, '2026-01-02 03:04:05', 'first'), (2, 'south', 7.50, NULL, NULL),
    (3, 'south', 1, '2026-01-02 03:04:05', 'third');
"""


@pytest.fixture
async def postgresql(empty_database: Database) -> dict[str, Any]:
    """The config of a PostgreSQL with orders."""
    connection = await connect(empty_database.owner_url)
    await connection.execute(ORDERS)
    await connection.close()
    url = make_url(empty_database.owner_url)
    host = url.host or url.query["host"]
    return {
        "engine": "postgresql",
        "host": host,
        "database": url.database,
        "username": url.username,
        "password": url.password or "",
        **({"port": url.port} if url.port else {}),
    }


@pytest.fixture
async def mariadb_config(mariadb: Service, resources: Resources) -> AsyncIterator[dict[str, Any]]:
    """The config of a MariaDB with orders."""
    login = {"host": HOST, "port": mariadb.port, "user": mariadb.username, "password": mariadb.password}
    connection = await asyncmy.connect(**login, database="lab", autocommit=True)
    async with connection.cursor() as cursor:
        await cursor.execute("DROP TABLE IF EXISTS orders")
        for statement in ORDERS.strip().split(";\n"):
            await cursor.execute(statement.rstrip(";"))
        await cursor.execute("CREATE OR REPLACE PROCEDURE clear_orders() BEGIN COMMIT; DELETE FROM orders; END")
    resources.secrets.values["mariadb"] = mariadb.password
    yield {
        "engine": "mariadb",
        "host": HOST,
        "port": mariadb.port,
        "database": "lab",
        "username": mariadb.username,
        "password": "${secret:mariadb}",
    }
    await connection.ensure_closed()


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, Any]:
    """The config of a SQLite file with orders."""
    file = tmp_path / "of a shop?#.db"
    connection = sqlite3.connect(file)
    connection.executescript(ORDERS)
    connection.close()
    return {"engine": "sqlite", "path": str(file)}


@pytest.fixture(params=["postgresql", "mariadb_config", "sqlite"])
def database_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each of the three."""
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def asked(read: Any, database_config: dict[str, Any]) -> Callable[..., Any]:
    """Asks one query, of each database."""

    async def ask(sql: str, **more: Any) -> Any:
        query = {"sql": sql, **({"metrics": more.pop("metrics")} if "metrics" in more else {})}
        return await read("sql", **database_config, queries=[query], **more)

    return ask


async def test_the_first_rows_numbers_are_metrics_and_all_rows_a_table(asked: Any) -> None:
    reading = await asked("SELECT id, shop, total, made, note FROM orders ORDER BY id;")
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metrics == (Metric("id", 1), Metric("total", 12.5))
    assert [(row["id"], row["shop"], row["total"], row["note"]) for row in reading.items["rows"]] == [
        (1, "north", 12.5, "first"),
        (2, "south", 7.5, None),
        (3, "south", 1, "third"),
    ]
    assert [str(row["made"]).replace("T", " ") for row in reading.items["rows"]][:2] == ["2026-01-02 03:04:05", "None"]


async def test_columns_become_metrics_with_labels(asked: Any) -> None:
    total = {"column": "total", "name": "sales", "unit": "EUR", "labels": ["shop"], "scale": 100, "kind": "counter"}
    reading = await asked(
        "SELECT shop, sum(total) AS total, count(*) AS orders FROM orders GROUP BY shop ORDER BY shop",
        metrics=[total, {"column": "orders", "name": "orders", "unit": "count"}],
    )
    assert reading.metrics == (
        Metric("sales", 1250, "EUR", {"shop": "north"}, MetricKind.COUNTER),
        Metric("sales", 850, "EUR", {"shop": "south"}, MetricKind.COUNTER),
        Metric("orders", 1, "count"),
    )


async def test_no_row_is_a_missing_value(asked: Any) -> None:
    reading = await asked("SELECT id, shop FROM orders WHERE id = 17")
    assert {metric.value for metric in reading.metrics} == {None}
    assert reading.items["rows"] == []
    reading = await asked("SELECT id FROM orders WHERE id = 17", metrics=[{"column": "id", "name": "m", "unit": "s"}])
    assert reading.metrics == (Metric("m", None, "s"),)
    assert reading.status is Status.UP


async def test_a_column_that_is_not_there_is_told(asked: Any) -> None:
    reading = await asked("SELECT id FROM orders", metrics=[{"column": "nothing", "name": "m"}])
    assert (reading.status, reading.message) == (Status.DEGRADED, "rows: there is no column “nothing”")


WRITING = [
    "INSERT INTO orders (id) VALUES (4)",
    "UPDATE orders SET total = 0",
    "DELETE FROM orders",
    "DROP TABLE orders",
    "CREATE TABLE other (id int)",
    "COMMIT; DELETE FROM orders",
    "SELECT 1; DELETE FROM orders",
    "SELECT 1; COMMIT; DELETE FROM orders",
    "COMMIT",
    "ROLLBACK; DELETE FROM orders; SELECT 1",
    "BEGIN",
]


@pytest.mark.parametrize("statement", WRITING)
async def test_a_writing_statement_is_refused(read: Any, database_config: dict[str, Any], statement: str) -> None:
    with pytest.raises(SourceFailedError):
        await read("sql", **database_config, queries=[{"sql": statement}])
    # Nothing that one query leaves behind helps the next.
    queries = [
        {"name": "first", "sql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"},
        {"name": "second", "sql": "COMMIT"},
        {"name": "third", "sql": statement},
        {"name": "count", "sql": "SELECT count(*) AS orders, sum(total) AS total FROM orders"},
    ]
    reading = await read("sql", **database_config, queries=queries)
    assert reading.items["count"] == [{"orders": 3, "total": 21}]


@pytest.mark.parametrize(
    "statement",
    [
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "SELECT * INTO other FROM orders",
        "SELECT setval('numbers', 5)",
        "SELECT nextval('numbers')",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "COPY orders TO PROGRAM 'true'",
        "SELECT lo_create(0)",
        "CALL clear_orders()",
        "DO $$ BEGIN DELETE FROM orders; END $$",
    ],
)
async def test_postgresql_writes_in_no_other_way(read: Any, postgresql: dict[str, Any], statement: str) -> None:
    connection = await asyncpg.connect(
        host=postgresql["host"],
        database=postgresql["database"],
        user=postgresql["username"],
        password=postgresql["password"],
        **({"port": postgresql["port"]} if "port" in postgresql else {}),
    )
    await connection.execute("CREATE SEQUENCE numbers")
    await connection.execute(
        "CREATE PROCEDURE clear_orders() LANGUAGE plpgsql AS $$ BEGIN COMMIT; DELETE FROM orders; END $$"
    )
    try:
        with pytest.raises(SourceFailedError, match=r"^The database says: "):
            await read("sql", **postgresql, queries=[{"sql": statement}])
        assert await connection.fetchval("SELECT count(*) FROM orders") == 3
        assert await connection.fetchval("SELECT is_called FROM numbers") is False
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CALL clear_orders()",
        "SET SESSION TRANSACTION READ WRITE",
        "/*! DELETE FROM orders */",
        "SELECT 1 INTO @other; DELETE FROM orders",
        "SELECT * FROM orders FOR UPDATE; COMMIT",
        "EXPLAIN DELETE FROM orders; DELETE FROM orders",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE orders",
    ],
)
async def test_mariadb_writes_in_no_other_way(read: Any, mariadb_config: dict[str, Any], statement: str) -> None:
    with pytest.raises(SourceFailedError):
        await read("sql", **mariadb_config, queries=[{"sql": statement}])
    reading = await read("sql", **mariadb_config, queries=[{"sql": "SELECT count(*) AS n FROM orders"}])
    assert reading.metrics == (Metric("n", 3),)


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'other.db' AS other",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 5",
        "VACUUM INTO 'copy.db'",
        "SELECT load_extension('x')",
        "CREATE TEMP TABLE t (a)",
    ],
)
async def test_sqlite_writes_in_no_other_way(read: Any, sqlite: dict[str, Any], statement: str) -> None:
    with pytest.raises(SourceFailedError, match=r"this statement is not allowed|The database says: not auth"):
        await read("sql", **sqlite, queries=[{"sql": statement}])
    assert sorted(Path(sqlite["path"]).parent.glob("*.db")) == [Path(sqlite["path"])]
    reading = await read("sql", **sqlite, queries=[{"sql": "PRAGMA page_count"}])
    assert reading.metric("page_count").value > 0


async def test_one_query_that_fails_leaves_the_others(read: Any, database_config: dict[str, Any]) -> None:
    queries = [{"name": "bad", "sql": "SELECT missing FROM nowhere"}, {"name": "good", "sql": "SELECT 5 AS five"}]
    reading = await read("sql", **database_config, queries=queries)
    assert reading.status is Status.DEGRADED
    assert reading.message.startswith("bad: The database says: ")
    assert "nowhere" in reading.message
    assert reading.metrics == (Metric("five", 5),)
    assert reading.items["bad"] == []


MANY = {
    "postgresql": "SELECT n, repeat('x', 100) AS filler FROM generate_series(1, 3000000) AS n",
    "mariadb": "SELECT a.seq AS n, repeat('x', 100) AS filler FROM seq_1_to_3000000 AS a",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n, 'x' AS filler FROM c",
}
SLOW = {
    "postgresql": "SELECT pg_sleep(60)",
    "mariadb": "SELECT count(*) FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b WHERE a.seq * b.seq % 7 = 3",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
}
HUGE = {
    "postgresql": "SELECT repeat('x', 100000000) AS x",
    "mariadb": "SELECT repeat('x', 12000000) AS x FROM seq_1_to_20",
    "sqlite": "SELECT hex(zeroblob(100000000)) AS x",
}


async def test_rows_are_capped_while_they_are_fetched(asked: Any, database_config: dict[str, Any]) -> None:
    reading = await asked(MANY[database_config["engine"]])
    assert [row["n"] for row in reading.items["rows"]] == list(range(1, MAX_ITEMS + 1))
    assert reading.metric("n").value == 1


async def test_a_query_that_takes_too_long_is_ended(asked: Any, database_config: dict[str, Any]) -> None:
    with pytest.raises(SourceFailedError, match=r"^The query takes too long$"):
        await asked(SLOW[database_config["engine"]], query_seconds=0.2)


async def test_an_endless_query_ends_with_its_reader(asked: Any, database_config: dict[str, Any]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked(SLOW[database_config["engine"]], query_seconds=300), 0.3)
    assert (await asked("SELECT 1 AS one")).status is Status.UP


async def test_a_huge_value_is_cut_or_refused(asked: Any, database_config: dict[str, Any]) -> None:
    try:
        reading = await asked(HUGE[database_config["engine"]])
    except SourceFailedError as error:
        assert "larger" in str(error) or "too big" in str(error)  # noqa: PT017  # either is fine
    else:
        assert {len(row["x"]) for row in reading.items["rows"]} == {1_000}


async def test_values_of_all_types_are_plain(read: Any, postgresql: dict[str, Any]) -> None:
    sql = (
        "SELECT 'NaN'::numeric AS nan, 'Infinity'::float8 AS endless, '\\x0102'::bytea AS raw, ARRAY[1, 2] AS list, "
        "interval '90 seconds' AS took, date '2026-01-02' AS day, '{\"a\": 1}'::jsonb AS json, true AS yes, "
        "'00000000-0000-0000-0000-000000000001'::uuid AS id, 12345678901234567890::numeric AS large"
    )
    reading = await read("sql", **postgresql, queries=[{"sql": sql}])
    assert reading.items["rows"] == [
        {
            "nan": None,
            "endless": None,
            "raw": "2 bytes",
            "list": "[1, 2]",
            "took": 90,
            "day": "2026-01-02",
            "json": '{"a": 1}',
            "yes": True,
            "id": "00000000-0000-0000-0000-000000000001",
            "large": 12345678901234567890.0,
        }
    ]
    assert {metric.name for metric in reading.metrics} == {"took", "yes", "large"}


async def test_a_secret_that_comes_back_is_hidden(read: Any, mariadb_config: dict[str, Any], mariadb: Service) -> None:
    query = {"sql": f"SELECT '{mariadb.password} and more' AS text"}
    reading = await read("sql", **mariadb_config, queries=[query])
    assert reading.items["rows"] == [{"text": "••• and more"}]
    with pytest.raises(SourceFailedError) as failure:
        await read("sql", **mariadb_config, queries=[{"sql": f"SELECT * FROM `{mariadb.password}`"}])
    assert mariadb.password not in str(failure.value)


async def test_a_wrong_login_is_told(read: Any, mariadb_config: dict[str, Any], postgresql: dict[str, Any]) -> None:
    queries = [{"sql": "SELECT 1"}]
    with pytest.raises(SourceFailedError, match=r"^The server refuses the user name or password$"):
        await read("sql", **{**mariadb_config, "password": "wrong"}, queries=queries)
    with pytest.raises(SourceFailedError, match=r"^The server refuses the user name or password$|no such database"):
        await read("sql", **{**mariadb_config, "database": "nothing"}, queries=queries)
    with pytest.raises(SourceFailedError, match=r"^There is no such database on the server$"):
        await read("sql", **{**postgresql, "database": "nothing"}, queries=queries)
    with pytest.raises(SourceFailedError, match=r"refuses the user name or password|role"):
        await read("sql", **{**postgresql, "username": "nobody"}, queries=queries)


async def test_a_certificate_is_trusted_by_its_authority(
    read: Any, resources: Resources, authority: Authority, tmp_path: Path
) -> None:
    authority.server()
    pem = tmp_path / "server.pem"
    with running_mariadb(tmp_path, f"--ssl-cert={pem}", f"--ssl-key={pem}") as server:
        resources.secrets.values["mariadb"] = server.password
        config = {
            "engine": "mariadb",
            "host": HOST,
            "port": server.port,
            "username": server.username,
            "password": "${secret:mariadb}",
            "queries": [{"sql": "SHOW STATUS LIKE 'Ssl_cipher'"}],
        }
        for tls in ({"ca_certificate": authority.pem}, {"verify_tls": False}):
            reading = await read("sql", **config, tls=True, **tls)
            assert reading.items["rows"][0]["Value"]
        assert not (await read("sql", **config)).items["rows"][0]["Value"]
        with pytest.raises(SourceFailedError, match=r"^The certificate is not trusted: "):
            await read("sql", **config, tls=True)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


GREETING = b"J\x00\x00\x00\x0a8.0.0\x00" + bytes(70)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
@pytest.mark.parametrize(
    "garbage",
    [b"", b"HTTP/1.1 200 OK\r\n\r\n" * 9, bytes(1_000), b"\xff" * 1_000, b"R\0\0\0\x08\0\0\0\0\0\0", GREETING],
    ids=range(6),
)
async def test_garbage_is_told(read: Any, engine: str, garbage: bytes) -> None:
    async with answering(garbage) as port:
        config = {"engine": engine, "host": HOST, "port": port, "username": "u", "database": "d"}
        with pytest.raises(HomelabError) as failure:
            await read("sql", **config, queries=[{"sql": "SELECT 1"}])
    assert "Traceback" not in str(failure.value)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
async def test_nobody_there_is_told(read: Any, engine: str) -> None:
    config = {"engine": engine, "host": HOST, "port": free_port(), "username": "u", "database": "d"}
    with pytest.raises(SourceFailedError, match=r"^Connection refused$"):
        await read("sql", **config, queries=[{"sql": "SELECT 1"}])


async def test_a_file_that_is_none_is_told(read: Any, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is not a database, but it is long enough to look at it." * 20)
    for name, reason in (("gone.db", "There is no file"), ("text.db", "The database says: file is not a database")):
        with pytest.raises(SourceFailedError, match=reason):
            await read("sql", engine="sqlite", path=str(tmp_path / name), queries=[{"sql": "SELECT * FROM t"}])
    with pytest.raises(SourceFailedError, match="There is no file"):
        await read("sql", engine="sqlite", path=str(tmp_path), queries=[{"sql": "SELECT 1"}])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"engine": "sqlite", "queries": [{"sql": "x"}]}, "path: enter the file"),
        ({"engine": "postgresql", "host": "h", "queries": [{"sql": "x"}]}, "host, username: enter both"),
        ({"engine": "postgresql", "host": "h", "username": "u", "queries": [{"sql": "x"}]}, "database: enter its name"),
        ({"engine": "sqlite", "path": "p", "queries": [{"sql": "x"}, {"sql": "y"}]}, "two are named “rows”"),
        ({"engine": "sqlite", "path": "p", "queries": []}, "queries"),
    ],
)
async def test_a_wrong_config_names_the_field(read: Any, config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigError, match=message):
        await read("sql", **config)
