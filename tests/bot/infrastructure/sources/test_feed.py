from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Status
from app.bot.infrastructure.sources import SourceFailedError
from app.bot.infrastructure.sources.feed import entries_of
from tests.support.local_servers import http_server

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Releases &amp; more</title>
<entry><title>v2.0 &lt;b&gt;big&lt;/b&gt;</title><link href="https://git.example.org/v2"/><updated>2026-05-01T10:00:00Z</updated>
<author><name>Anna</name></author><summary type="html">&lt;p&gt;Faster &amp;amp; safer&lt;/p&gt;</summary></entry>
<entry><title>v1.0</title><link href="https://git.example.org/v1"/><updated>2026-04-01T10:00:00+02:00</updated></entry>
</feed>"""
RSS = """<rss version="2.0"><channel><title>Blog</title>
<item><title>Hello</title><link>https://blog.example.org/1</link><pubDate>Sat, 18 Apr 2026 08:30:00 GMT</pubDate></item>
<item><title>Undated</title></item></channel></rss>"""


def serving(**answers: str | int) -> Any:
    async def answer(request: web.Request) -> web.Response:
        content = answers[request.path.strip("/")]
        if isinstance(content, int):
            return web.Response(status=content)
        return web.Response(text=content, content_type="application/xml")

    return http_server(answer)


async def test_several_feeds_with_the_newest_entry_first(read: Any) -> None:
    async with serving(atom=ATOM, rss=RSS) as address:
        reading = await read("feed", url=f"{address}/atom", more_urls=[f"{address}/rss"])
    assert reading.status is Status.UP
    assert reading.metrics == (Metric("entries.count", 4.0, "count"),)
    entries = reading.items["entries"]
    assert [entry["title"] for entry in entries] == ["v2.0 big", "Hello", "v1.0", "Undated"]
    assert entries[0] == {
        "title": "v2.0 big",
        "url": "https://git.example.org/v2",
        "published": "2026-05-01T10:00:00+00:00",
        "author": "Anna",
        "summary": "Faster & safer",
        "feed": "Releases & more",
    }
    assert entries[2]["published"] == "2026-04-01T08:00:00+00:00"
    assert entries[3]["published"] is None


async def test_a_feed_that_fails_leaves_the_others(read: Any) -> None:
    async with serving(atom=ATOM, gone=404, page="<html><title>x</title></html>") as address:
        more = [f"{address}/gone", f"{address}/page"]
        reading = await read("feed", url=f"{address}/atom", more_urls=more)
    assert reading.status is Status.DEGRADED
    assert reading.message.startswith("address 2: Answered 404 Not Found; address 3: No feed")
    assert len(reading.items["entries"]) == 2


@pytest.mark.parametrize("content", ["", "<html><body>Log in</body></html>", "{}", "\x00\x01", ATOM[:60]])
async def test_what_is_no_feed_is_said_so(read: Any, content: str) -> None:
    async with serving(it=content) as address:
        with pytest.raises(SourceFailedError, match="No feed"):
            await read("feed", url=f"{address}/it")


def test_entities_do_not_grow() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    feed = f"<?xml version='1.0'?>{bomb}<rss version='2.0'><channel><item><title>x&b;</title></item></channel></rss>"
    (entry,) = entries_of(feed.encode())
    assert len(entry["title"]) <= 300


def test_a_long_feed_and_long_texts_are_cut() -> None:
    long = f"<item><title>{'t' * 5_000}</title><description>{'<i>s</i>' * 500}</description></item>"
    items = long + "<item><title>t</title></item>" * MAX_ITEMS
    entries = entries_of(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    assert len(entries) == MAX_ITEMS
    assert len(entries[0]["title"]) <= 300
    assert len(entries[0]["summary"]) <= 500
