"""Answers as registries give them: RDAP of Verisign, WHOIS in the words of several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources
from app.bot.infrastructure.sources.domain_expiry.registrations import parse_date, rdap_servers
from tests.support.local_servers import http_server, nobody

Read = Callable[..., Any]


def ends_in(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days, hours=1)


def rdap(days: float) -> dict[str, Any]:
    return {
        "objectClassName": "domain",
        "handle": "2336799_DOMAIN_COM-VRSN",
        "ldhName": "EXAMPLE.COM",
        "status": ["client delete prohibited", "client transfer prohibited"],
        "entities": [
            {"objectClassName": "entity", "roles": ["technical"]},
            {
                "objectClassName": "entity",
                "handle": "376",
                "roles": ["registrar"],
                "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Example Registrar"]]],
            },
        ],
        "events": [
            {"eventAction": "registration", "eventDate": "1995-08-14T04:00:00Z"},
            {"eventAction": "expiration", "eventDate": ends_in(days).isoformat().replace("+00:00", "Z")},
        ],
        "nameservers": [{"objectClassName": "nameserver", "ldhName": "A.IANA-SERVERS.NET"}],
    }


@asynccontextmanager
async def whois(answers: dict[str, str]) -> AsyncIterator[tuple[str, list[str]]]:
    """A WHOIS server; gives its host:port and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        domain = (await reader.readline()).decode().strip()
        asked.append(domain)
        writer.write(answers.get(domain, f'No match for "{domain.upper()}".\r\n').encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def registry(**domains: Any) -> AsyncIterator[tuple[str, list[str]]]:
    """An RDAP server that knows these (dots as underscores); gives its address and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/dns.json":
            base = f"http://{request.host}/"
            services = [[["org", "net"], ["https://rdap.invalid/"]], [["com"], [base]]]
            return web.json_response({"version": "1.0", "services": services})
        found = domains.get(request.path.removeprefix("/domain/").replace(".", "_"))
        if isinstance(found, web.Response):
            return found
        if found is None:
            return web.json_response({"errorCode": 404, "title": "Not Found"}, status=404)
        return web.json_response(found, content_type="application/rdap+json")

    async with http_server(answer) as url:
        yield url, asked


async def test_rdap_by_the_bootstrap_file(read: Read) -> None:
    async with registry(example_com=rdap(90)) as (url, asked):
        reading = await read("domain_expiry", domains=["Example.com"], rdap_bootstrap=f"{url}/dns.json")
    assert asked == ["/dns.json", "/domain/example.com"]
    assert (reading.status, reading.message) == (Status.UP, "")
    (row,) = reading.items["domains"]
    assert (row["name"], row["registrar"], row["told_by"]) == ("example.com", "Example Registrar", "RDAP")
    assert row["states"] == ["client delete prohibited", "client transfer prohibited"]
    assert 90 < row["days"] < 90.1
    assert reading.metrics == (Metric("domain.days", row["days"], "days", {"domain": "example.com"}),)


async def test_the_next_to_run_out_comes_first(read: Read) -> None:
    async with registry(late_com=rdap(300), soon_com=rdap(12), past_com=rdap(-3)) as (url, _):
        domains = ["late.com", "soon.com", "free.com", "past.com"]
        reading = await read("domain_expiry", domains=domains, rdap_server=url)
    assert [(row["name"], row["status"]) for row in reading.items["domains"]] == [
        ("past.com", "down"),
        ("soon.com", "degraded"),
        ("late.com", "up"),
        ("free.com", "down"),
    ]
    assert reading.status is Status.DOWN
    problems = ("past.com: It ran out 2 days ago", "soon.com: It runs out in 12 days", "free.com: It is not registered")
    assert reading.message == "; ".join(problems)


async def test_a_registry_is_asked_once_a_day(resources: Resources) -> None:
    async with registry(example_com=rdap(90)) as (url, asked):
        config = {"domains": ["example.com"], "rdap_server": url}
        reader = open_reader(DataSource(1, "domains", "domain_expiry", config=config), resources)
        for _ in range(3):
            assert (await reader.read()).status is Status.UP
    assert asked == ["/domain/example.com"]
    assert (await reader.read()).status is Status.UP


async def test_a_registry_that_failed_is_left_alone_for_a_while(resources: Resources) -> None:
    async with registry(example_com=web.Response(status=429)) as (url, asked), nobody() as silent:
        config = {"domains": ["example.com"], "rdap_server": url, "whois_server": silent.removeprefix("http://")}
        reader = open_reader(DataSource(1, "domains", "domain_expiry", config=config), resources)
        for _ in range(3):
            reading = await reader.read()
            assert reading.status is Status.UNKNOWN
            assert reading.message == "example.com: RDAP: answered 429. WHOIS: Connection refused"
            assert reading.metrics[0].value is None
    assert len(asked) == 1


@pytest.mark.parametrize(
    "line",
    [
        "   Registry Expiry Date: {:%Y-%m-%dT%H:%M:%SZ}",
        "Expiry Date: {:%d-%b-%Y}",
        "expires:        {:%Y-%m-%d}",
        "paid-till:     {:%Y-%m-%dT%H:%M:%SZ}",
        "[Expires on]                    {:%Y/%m/%d}",
        "expire:       {:%d.%m.%Y}",
        "Renewal date:   {:%d.%m.%Y %H:%M:%S}",
        "Expiration Date: {:%a %b %d %Y}",
        "expires............: {:%d.%m.%Y %H:%M:%S}",
    ],
)
async def test_whois_where_there_is_no_rdap(read: Read, line: str) -> None:
    text = f"% Terms of use\r\nDomain: EXAMPLE.IO\r\n{line.format(ends_in(40))}\r\nRegistrar: Example Registrar\r\n"
    async with registry() as (url, _), whois({"example.io": text}) as (server, asked):
        config = {"rdap_bootstrap": f"{url}/dns.json", "whois_server": server}
        reading: Reading = await read("domain_expiry", domains=["example.io"], **config)
    assert asked == ["example.io"]
    (row,) = reading.items["domains"]
    assert row["status"] == "up", row
    assert (row["registrar"], row["told_by"]) == ("Example Registrar", "WHOIS")
    assert 38.9 < row["days"] < 40.1


async def test_whois_says_whether_it_is_free_or_nothing(read: Read) -> None:
    answers = {"taken.de": "Domain: taken.de\nStatus: connect\n", "free.de": "Domain: free.de\nStatus: free\n"}
    async with registry() as (url, _), whois(answers) as (server, _):
        config = {"rdap_bootstrap": f"{url}/dns.json", "whois_server": server}
        reading = await read("domain_expiry", domains=["taken.de", "free.de", "other.de"], **config)
    assert {row["name"]: (row["status"], row["message"]) for row in reading.items["domains"]} == {
        "taken.de": ("unknown", "The registry does not tell when it runs out"),
        "free.de": ("down", "It is not registered"),
        "other.de": ("down", "It is not registered"),
    }


async def test_without_a_bootstrap_file_whois_is_asked(read: Read) -> None:
    async with nobody() as silent, whois({"example.com": f"Expiry Date: {ends_in(60):%Y-%m-%d}"}) as (server, _):
        config = {"rdap_bootstrap": f"{silent}/dns.json", "whois_server": server}
        assert (await read("domain_expiry", domains=["example.com"], **config)).status is Status.UP


async def test_names_in_other_scripts(read: Read) -> None:
    async with registry(**{"xn--mnchen-3ya_com": rdap(90)}) as (url, asked):
        reading = await read("domain_expiry", domains=["münchen.com"], rdap_server=url)
    assert asked == ["/domain/xn--mnchen-3ya.com"]
    assert reading.items["domains"][0]["name"] == "münchen.com"


async def test_odd_answers_are_no_fault(read: Read) -> None:
    odd = {"events": [{"eventAction": "expiration", "eventDate": "soon"}], "entities": [{}, 1], "status": "active"}
    async with registry(a_com=odd, b_com=[1], c_com=web.Response(text="<html>")) as (url, _), nobody() as silent:
        config = {"rdap_server": url, "whois_server": silent.removeprefix("http://")}
        reading = await read("domain_expiry", domains=["a.com", "b.com", "c.com"], **config)
    assert [row["status"] for row in reading.items["domains"]] == ["unknown"] * 3
    assert "RDAP: the answer is not JSON. WHOIS: Connection refused" in reading.message


async def test_a_registry_that_hangs(read: Read) -> None:
    async def hang(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with http_server(hang) as url, whois({"example.com": f"Expiry Date: {ends_in(60):%Y-%m-%d}"}) as (server, _):
        config = {"rdap_server": url, "whois_server": server, "wait_seconds": 3}
        assert (await read("domain_expiry", domains=["example.com"], **config)).status is Status.UP


async def test_a_look_that_is_given_up_is_not_begun_anew_with_every_poll(resources: Resources) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def hang(request: web.Request) -> web.Response:
        asked.put_nowait(request.path)
        await asyncio.sleep(60)
        return web.Response()

    async with http_server(hang) as url:
        config = {"domains": ["example.com"], "rdap_server": url}
        reader = open_reader(DataSource(1, "domains", "domain_expiry", config=config), resources)
        poll = asyncio.create_task(reader.read())
        assert await asked.get() == "/domain/example.com"
        poll.cancel()
        await asyncio.wait({poll})
        reading = await reader.read()
    assert (reading.status, reading.message) == (Status.UNKNOWN, "example.com: The registry did not answer in time")
    assert asked.empty()


def test_dates() -> None:
    expected = datetime(2025, 8, 13, tzinfo=UTC)
    for text in ("2025-08-13", "13-Aug-2025", "20250813", "2025-08-13T02:00:00+02:00", "2025.08.13", "August 13, 2025"):
        assert parse_date(text) == expected, text
    assert parse_date("2025-08-13 (YYYY-MM-DD)") == expected
    assert parse_date("not yet") is None
    assert parse_date("") is None


def test_a_bootstrap_file_that_is_none() -> None:
    for odd in (None, [], {"services": 1}, {"services": [[], [["com"], []], [["net"], ["http://a/", "https://b/"]]]}):
        assert rdap_servers(odd).get("com") is None


async def test_wrong_configs_name_the_field(read: Read) -> None:
    for wrong in ("example", "two words.org", "-x.org", "http://example.org"):
        with pytest.raises(InvalidConfigError, match=r"domains.*must be a domain like example\.org"):
            await read("domain_expiry", domains=[wrong])
