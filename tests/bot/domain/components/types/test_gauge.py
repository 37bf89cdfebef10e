"""The gauge component."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import InvalidConfigError, UnknownMetricError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, down, metrics, render, text

CONFIG = {"source": "host", "metric": "cpu", "label": "CPU"}
LIMITS = {"warning": 80, "critical": 95}


def cpu(value: float | None) -> object:
    return metrics(Metric("cpu", value, "percent"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (42.4, "🟢 **CPU** ▰▰▰▰▱▱▱▱▱▱ 42 %"),
        (0.0, "🟢 **CPU** ▱▱▱▱▱▱▱▱▱▱ 0 %"),
        (80.0, "🟡 **CPU** ▰▰▰▰▰▰▰▰▱▱ 80 %"),
        (100.0, "🔴 **CPU** ▰▰▰▰▰▰▰▰▰▰ 100 %"),
        (250.0, "🔴 **CPU** ▰▰▰▰▰▰▰▰▰▰ 250 %"),
        (-5.0, r"🟢 **CPU** ▱▱▱▱▱▱▱▱▱▱ \-5 %"),
        (None, "⚪ **CPU** ▱▱▱▱▱▱▱▱▱▱ no data"),
    ],
)
def test_a_bar_with_its_value_and_mark(value: float | None, shown: str) -> None:
    assert text("gauge", {**CONFIG, "thresholds": LIMITS}, host=cpu(value)) == shown


def test_a_gauge_without_thresholds_has_no_mark() -> None:
    assert text("gauge", {**CONFIG, "width": 4}, host=cpu(50.0)) == "**CPU** ▰▰▱▱ 50 %"


def test_a_name_is_escaped_once() -> None:
    assert text("gauge", {**CONFIG, "label": "nvme_0", "width": 4}, host=cpu(50.0)) == r"**nvme\_0** ▰▰▱▱ 50 %"


def test_a_ratio_is_full_at_one() -> None:
    shown = text("gauge", {**CONFIG, "width": 4}, host=metrics(Metric("cpu", 0.5, "ratio")))
    assert shown == "**CPU** ▰▰▱▱ 50.0 %"


def test_ends_can_be_chosen() -> None:
    config = {**CONFIG, "minimum": 20, "maximum": 60, "width": 4, "unit": "celsius"}
    assert text("gauge", config, host=cpu(40.0)) == "**CPU** ▰▰▱▱ 40 °C"


def test_the_full_value_can_be_a_metric_and_thresholds_count_in_percent_of_it() -> None:
    host = metrics(Metric("used", 9 * 2**30, "bytes"), Metric("total", 10 * 2**30, "bytes"))
    config = {"source": "host", "metric": "used", "label": "Memory", "maximum_metric": "total", "thresholds": LIMITS}
    assert text("gauge", config, host=host) == "🟡 **Memory** ▰▰▰▰▰▰▰▰▰▱ 9.0 GiB / 10.0 GiB"


def test_a_full_value_that_is_missing_leaves_the_bar_empty() -> None:
    host = metrics(Metric("used", 5.0, "bytes"), Metric("total", None, "bytes"))
    config = {"source": "host", "metric": "used", "label": "Memory", "maximum_metric": "total", "thresholds": LIMITS}
    assert text("gauge", config, host=host) == "⚪ **Memory** ▱▱▱▱▱▱▱▱▱▱ 5 B / no data"


DISKS = metrics(
    Metric("disk", 90.0, "percent", {"mount": "/"}),
    Metric("disk", None, "percent", {"mount": "/mnt/data"}),
    Metric("cpu", 1.0, "percent"),
)


def test_one_bar_for_each_metric_of_the_name_lined_up() -> None:
    config = {"source": "host", "metric": "disk", "each": "mount", "width": 4, "thresholds": LIMITS}
    assert text("gauge", config, host=DISKS).splitlines() == [
        "🟡 `/        ` ▰▰▰▰ 90 %",
        "⚪ `/mnt/data` ▱▱▱▱ no data",
    ]


def test_each_keeps_to_the_labels() -> None:
    config = {"source": "host", "metric": "disk", "each": "mount", "labels": {"mount": "/"}, "width": 4}
    assert text("gauge", config, host=DISKS) == "**/** ▰▰▰▰ 90 %"


def test_each_of_a_source_that_is_down_is_missing() -> None:
    config = {"source": "host", "metric": "disk", "each": "mount", "label": "Disks"}
    assert text("gauge", config, host=down()) == "**Disks** no data"


def test_each_of_an_unknown_metric_is_an_error() -> None:
    with pytest.raises(UnknownMetricError, match="It has: cpu, disk"):
        render("gauge", {"source": "host", "metric": "disc", "each": "mount"}, host=DISKS)


def test_names_padded_to_one_width_line_up_over_several_gauges() -> None:
    assert text("gauge", {**CONFIG, "label_width": 6, "width": 4}, host=cpu(50.0)) == "`CPU   ` ▰▰▱▱ 50 %"


def test_a_detail_follows_the_value() -> None:
    config = {**CONFIG, "width": 4, "detail": "load {{ 1.5 }}"}
    assert text("gauge", config, host=cpu(50.0)) == "**CPU** ▰▰▱▱ 50 % · load 1.5"


def test_ends_out_of_order_are_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidConfigError, match="maximum must be greater than minimum"):
        component("gauge", {**CONFIG, "minimum": 5, "maximum": 5})
