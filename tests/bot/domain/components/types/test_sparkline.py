"""The sparkline component."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks.block import Text
from app.bot.domain.components.types.sparkline import draw
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.history import History, HistoryQuery, SeriesHistory
from app.bot.domain.readings.reading import Metric, Reading
from tests.support.rendering import NOW, component, context, down, metrics, store, text

CONFIG = {"source": "host", "metric": "cpu", "label": "CPU"}


def history(*values: float | None) -> list[Reading]:
    return [metrics(Metric("cpu", value, "percent")) for value in values]


def test_the_curve_with_its_ends() -> None:
    config = {**CONFIG, "thresholds": {"warning": 60}}
    assert text("sparkline", config, host=history(0, 35, 70, None, 70)).splitlines() == [
        "🟡 **CPU** 70 %",
        "`▁▅█ █`",
        "-# min 0 % · max 70 % · last 70 %",
    ]


def test_only_the_newest_values_are_drawn() -> None:
    shown = text("sparkline", {**CONFIG, "width": 8, "summary": False}, host=history(*range(50)))
    assert shown.splitlines()[1] == "`▁▂▃▄▅▆▇█`"


def test_the_scale_can_be_fixed() -> None:
    assert draw([0, 50, 100, 150, -9], 0, 100) == "▁▅██▁"


def test_a_flat_line_lies_low() -> None:
    assert draw([5, 5]) == "▁▁"


def test_without_any_value_there_is_no_curve() -> None:
    assert text("sparkline", CONFIG, host=None) == "**CPU** no data"
    assert text("sparkline", CONFIG, host=[down()]) == "**CPU** no data"


def test_a_failed_poll_leaves_a_gap_and_the_newest_value_is_missing() -> None:
    shown = text("sparkline", CONFIG, host=[*history(10, 20), down()])
    assert shown.splitlines() == ["**CPU** no data", "`▁█ `"]


def test_huge_values_do_not_overflow() -> None:
    assert draw([-1.7e308, 1.7e308]) == "▁█"


def test_ends_out_of_order_are_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidConfigError, match="maximum must be greater than minimum"):
        component("sparkline", {**CONFIG, "minimum": 5, "maximum": 1})


class Past:
    """A day in four parts."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        assert (query.range_seconds, query.step_seconds) == (86_400, 10_800)
        return History(NOW, query.step_seconds, (SeriesHistory("cpu", values=(0.0, None, 50.0, 100.0)),))


def test_a_range_is_read_from_history() -> None:
    config = {"source": "lab", "metric": "cpu", "range": "24h", "width": 8}
    surroundings = context(store(lab=metrics(Metric("cpu", 42.0, "percent"))))
    while_loading = component("sparkline", config).render(surroundings)
    assert while_loading == (Text("**cpu** 42 %"),)
    assert surroundings.pending
    surroundings.histories = Past()
    (shown,) = component("sparkline", config).render(surroundings)
    assert isinstance(shown, Text)
    assert shown.text.splitlines()[1:] == ["`▁ ▅█`", "-# min 0 % · max 100 % · last 42 %"]
