"""The feed source."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from html import unescape
from typing import Any

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, source_types
from app.bot.infrastructure.sources.documents import DocumentSource

_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
_TITLE, _SUMMARY = 300, 500
_TAGS = re.compile(r"<[^>]{0,2000}>")


@source_types.register("feed")
class Feed(DocumentSource, title="Feed"):
    """News, releases and posts: RSS and Atom feeds, such as a repository's releases.atom.

    Gives the items `entries`, the newest first: title, url, published, author, summary and feed.
    """

    async def read(self, resources: Resources) -> Reading:
        """Fetch every feed. One that fails makes the source degraded. Raises SourceFailedError when all do."""
        feeds, problems = await self.documents(resources, _ACCEPT, entries_of)
        entries = [entry for feed in feeds for entry in feed]
        entries.sort(key=lambda entry: entry["published"] or "", reverse=True)
        status = Status.DEGRADED if problems else Status.UP
        count = Metric("entries.count", float(len(entries)), "count")
        return Reading(datetime.now(UTC), status, "; ".join(problems), (count,), {"entries": entries[:MAX_ITEMS]})


def entries_of(content: bytes) -> list[dict[str, Any]]:
    """Return the entries of a feed. Raises SourceFailedError for what is none."""
    import feedparser  # slow to import, and few have feeds

    parsed = feedparser.parse(content, sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise SourceFailedError("No feed: neither RSS nor Atom. Look for the address behind the site's feed symbol")
    name = _plain(parsed.feed.get("title"), _TITLE)
    return [_entry(entry, name) for entry in parsed.entries[:MAX_ITEMS]]


def _entry(entry: Any, feed: str) -> dict[str, Any]:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    return {
        "title": _plain(entry.get("title"), _TITLE),
        "url": str(entry.get("link") or "")[:2_000],
        "published": _iso(moment),
        "author": _plain(entry.get("author"), 100),
        "summary": _plain(entry.get("summary"), _SUMMARY),
        "feed": feed,
    }


def _iso(moment: Any) -> str | None:
    try:
        return datetime.fromtimestamp(timegm(moment), UTC).isoformat() if moment else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _plain(text: Any, limit: int) -> str:
    """Text without its HTML, in one line; only as much of it is looked at as can be shown."""
    cut = str(text or "")[: limit * 20]
    return shorten(" ".join(unescape(_TAGS.sub(" ", cut)).split()), limit)
