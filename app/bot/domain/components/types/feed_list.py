"""The feed list component."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from app.bot.domain.blocks.addresses import checked_address
from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import FieldPath, Title
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.readings.items import value_at, value_text
from app.bot.domain.readings.moments import moment_of, stamp_of
from app.bot.domain.readings.reading import Status

_TITLE_LIMIT, _SUMMARY_LIMIT, _ADDRESS_LIMIT = 120, 160, 400


@component_types.register("feed_list")
class FeedList(Component, title="Feed list"):
    """News, releases or posts: titles that link to them, the newest first."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source, such as a feed")
    items: str = Field("entries", min_length=1, max_length=100, description="Name of its list of entries")
    title_field: FieldPath = Field("title", description="Field of an entry that holds its title")
    url_field: FieldPath = Field("url", description="Field with its address")
    published_field: FieldPath = Field("published", description="Field with its time: ISO 8601, or seconds since 1970")
    feed_field: str = Field("feed", max_length=100, description="Field with the name of its feed; empty shows none")
    summary_field: str = Field("", max_length=100, description="Field with a summary to show below; empty for none")
    new_hours: int = Field(24, ge=0, le=8_760, description="Mark what is not older than so many hours; 0 marks none")
    limit: int = Field(5, ge=1, le=20, description="Entries shown at most")
    empty: str = Field("Nothing new", max_length=200, description="Shown when there is no entry")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`🆕 [Title](address)` and below it the feed and how long ago."""
        reading = context.reading(self.source)
        entries = [
            (moment_of(value_at(item, self.published_field)), item) for item in reading.items.get(self.items, ())
        ]
        # What has no time stands behind what has one, in the order of the feed.
        entries.sort(key=lambda entry: -entry[0].timestamp() if entry[0] is not None else float("inf"))
        lines = title_lines(context, self.title)
        for published, item in entries[: self.limit]:
            lines += self._lines(context, published, item)
        if not entries:
            reason = reading.message if reading.status is not Status.UP else ""
            lines.append(f"-# {escape_markdown(shorten(one_line(reason or self.empty), 200)) or '…'}")
        return text_of(lines)

    def _lines(self, context: RenderContext, published: datetime | None, item: Mapping[str, Any]) -> list[str]:
        name = escape_markdown(
            shorten(value_text(value_at(item, self.title_field), missing="(no title)"), _TITLE_LIMIT)
        )
        address = str(value_at(item, self.url_field) or "")
        usable = checked_address(address, ("https", "http"), _ADDRESS_LIMIT) is None and not set(address) & set("<>()")
        is_new = published is not None and 0 <= (context.now - published).total_seconds() < self.new_hours * 3_600
        lines = [("🆕 " if is_new else "") + (f"[{name}](<{address}>)" if usable else f"**{name}**")]
        feed = value_text(value_at(item, self.feed_field), missing="") if self.feed_field else ""
        about: list[str] = [escape_markdown(shorten(feed, 60))] if feed else []
        if published is not None:
            about.append(stamp_of(published))
        if about:
            lines.append("-# " + " · ".join(about))
        summary = value_text(value_at(item, self.summary_field), missing="") if self.summary_field else ""
        if summary:
            lines.append(escape_markdown(shorten(summary, _SUMMARY_LIMIT)))
        return lines
