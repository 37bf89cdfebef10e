"""Calendar, feed list, log tail, top list, service grid: what they make of a source's items."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import down, metrics, text

NOW_ISO = "2026-05-01T12:00:00+00:00"
HOSTILE = "\u202e@everyone **b** ``` <@1> [x](http://y)"


class TestCalendar:
    def shown(self, *events: dict[str, Any], **config: Any) -> str:
        return text("calendar", {"source": "plan", **config}, plan=metrics(events=list(events)))

    def test_events_stand_under_their_day(self) -> None:
        shown = self.shown(
            {"title": "Dinner", "starts": "2026-05-02T18:00:00+00:00", "ends": "2026-05-02T20:00:00+00:00"},
            {"title": "Standup", "starts": "2026-05-01T13:00:00+00:00", "location": "Office"},
            {"title": "Holiday", "starts": "2026-05-03", "ends": "2026-05-04", "all_day": True},
        )
        assert shown.splitlines() == [
            r"**Today · 2026\-05\-01**",
            "<t:1777640400:t> · Standup · Office",
            r"**Tomorrow · 2026\-05\-02**",
            "<t:1777744800:t> · Dinner",
            r"**Sunday · 2026\-05\-03**",
            "all day · Holiday",
        ]

    def test_what_is_on_now_is_marked_and_what_is_over_is_gone(self) -> None:
        shown = self.shown(
            {"title": "Backup", "starts": "2026-05-01T11:00:00Z", "ends": "2026-05-01T13:00:00Z"},
            {"title": "Over", "starts": "2026-05-01T09:00:00Z", "ends": "2026-05-01T10:00:00Z"},
            {"title": "Far", "starts": "2026-06-01T09:00:00Z"},
            {"title": "Broken", "starts": "soon"},
            {"title": "Trip", "starts": "2026-04-29", "ends": "2026-05-03", "all_day": True},
        )
        assert [line for line in shown.splitlines() if not line.startswith("**")] == [
            "🔵 all day · Trip",
            "🔵 until <t:1777640400:t> · Backup",
        ]

    def test_nothing_planned(self) -> None:
        assert self.shown() == "-# Nothing planned"
        assert "Connection refused" in text("calendar", {"source": "plan"}, plan=down())

    def test_more_than_fit_are_counted(self) -> None:
        events = [{"title": str(number), "starts": "2026-05-01T13:00:00Z"} for number in range(5)]
        assert self.shown(*events, limit=2).splitlines()[-1] == "-# … and 3 more"


class TestFeedList:
    def shown(self, *entries: dict[str, Any], **config: Any) -> list[str]:
        return text("feed_list", {"source": "news", **config}, news=metrics(entries=list(entries))).splitlines()

    def test_the_newest_first_with_a_mark_for_what_is_new(self) -> None:
        assert self.shown(
            {"title": "Old *one*", "url": "https://a.org/1", "published": "2026-04-01T00:00:00Z", "feed": "Blog"},
            {"title": "New", "url": "https://a.org/2", "published": 1777633200, "feed": "Blog"},
            {"title": "Undated", "url": "javascript:alert(1)"},
        ) == [
            "🆕 [New](<https://a.org/2>)",
            "-# Blog · <t:1777633200:R>",
            r"[Old \*one\*](<https://a.org/1>)",
            "-# Blog · <t:1775001600:R>",
            "**Undated**",
        ]

    def test_an_address_cannot_end_the_link(self) -> None:
        (line,) = self.shown({"title": HOSTILE, "url": "https://a.org/>) **x**"})
        assert "a.org" not in line
        assert "@everyone" not in line.replace("\\@everyone", "")

    def test_nothing_new(self) -> None:
        assert self.shown() == ["-# Nothing new"]


class TestLogTail:
    def shown(self, *lines: dict[str, Any], **config: Any) -> str:
        return text("log_tail", {"source": "log", **config}, log=metrics(lines=list(lines)))

    def test_the_newest_at_the_bottom_in_the_colour_of_its_level(self) -> None:
        shown = self.shown(
            {"time": NOW_ISO, "level": "INFO", "message": "one"},
            {"time": NOW_ISO, "level": "err", "message": "two\nlines"},
            lines=2,
            colours=True,
        )
        assert shown == "```ansi\n\x1b[0;34m12:00 one\x1b[0m\n\x1b[0;31m12:00 two lines\x1b[0m\n```"

    def test_filters(self) -> None:
        lines = [{"level": level, "message": f"{level} Redis"} for level in ("debug", "warn", "error")]
        assert self.shown(*lines, minimum_level="warning", colours=False) == "```\nwarn Redis\nerror Redis\n```"
        assert self.shown(*lines, contains="DEBUG", colours=False) == "```\ndebug Redis\n```"
        assert self.shown(*lines, contains="nothing") == "-# No lines"

    def test_data_cannot_end_the_block_or_colour_it(self) -> None:
        shown = self.shown({"message": "``` \x1b[31m @everyone"}, colours=False)
        assert shown.count("```") == 2
        assert "\x1b" not in shown


class TestTopList:
    def test_items_by_a_field(self) -> None:
        items = [{"name": name, "cpu": cpu} for name, cpu in (("a", 10), ("bb", 40.0), ("c", None), ("d", "nan"))]
        shown = text(
            "top_list",
            {"source": "docker", "items": "containers", "value_field": "cpu", "unit": "percent", "bar_width": 4},
            docker=metrics(containers=items),
        )
        assert shown.splitlines()[1:-1] == ["bb ████ 40 %", "a  █░░░ 10 %"]

    def test_a_metric_by_its_labels(self) -> None:
        loads = [Metric("load", float(core), "percent", {"core": str(core), "host": "x"}) for core in range(3)]
        shown = text(
            "top_list", {"source": "host", "metric": "load", "label_name": "core", "limit": 2, "bar_width": 0},
            host=metrics(*loads),
        )  # fmt: skip
        assert shown.splitlines()[1:-1] == ["2 2 %", "1 1 %"]

    def test_nothing(self) -> None:
        config = {"source": "docker", "items": "containers", "value_field": "cpu"}
        assert text("top_list", config, docker=metrics()) == "-# Nothing to show"

    @pytest.mark.parametrize("config", [{}, {"items": "a"}, {"items": "a", "value_field": "b", "metric": "c"}])
    def test_what_to_compare_must_be_clear(self, config: dict[str, Any]) -> None:
        with pytest.raises(InvalidConfigError, match="items"):
            text("top_list", {"source": "x", **config}, x=metrics())


class TestServiceGrid:
    def test_columns_of_marks_and_names(self) -> None:
        items = [
            {"name": "web", "status": "running"},
            {"name": "db*", "status": "exited"},
            {"name": "x", "status": "?"},
        ]
        shown = text("service_grid", {"title": "All", "source": "docker", "items": "c"}, docker=metrics(c=items))
        assert shown.splitlines() == [
            "**All** · 1 of 3 up",
            f"🟢 `{'web':18}` 🔴 `{'db*':18}`",
            f"⚪ `{'x':18}`",
        ]

    def test_sources_with_the_worst_first(self) -> None:
        config = {"entries": [{"source": "a", "label": "A"}, {"source": "b"}], "worst_first": True, "columns": 1}
        first, second = text("service_grid", {**config, "summary": False}, a=metrics(), b=down()).splitlines()
        assert first.startswith("🔴 `b")
        assert second.startswith("🟢 `A")
