"""The metric component."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import InvalidConfigError, UnknownMetricError, UnknownSourceError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, down, metrics, render, text

CONFIG = {"source": "host", "metric": "memory", "label": "Memory"}
HOST = metrics(Metric("memory", 3 * 2**30, "bytes"), Metric("temperature", 71.4, "celsius", {"sensor": "cpu_0"}))
LIMITS = {"warning": 2**31, "critical": 2**33}


def test_a_value_with_its_unit_and_no_mark() -> None:
    assert text("metric", CONFIG, host=HOST) == "**Memory** 3.0 GiB"


def test_thresholds_give_a_mark() -> None:
    assert text("metric", {**CONFIG, "thresholds": LIMITS}, host=HOST) == "🟡 **Memory** 3.0 GiB"


def test_a_missing_value_has_a_mark_of_its_own() -> None:
    assert text("metric", {**CONFIG, "thresholds": LIMITS}, host=down()) == "⚪ **Memory** no data"


def test_a_large_value_stands_below_its_name() -> None:
    config = {**CONFIG, "large": True, "thresholds": LIMITS, "detail": "of {{ 17179869184 | bytes }}"}
    assert text("metric", config, host=HOST) == "-# Memory\n## 🟡 3.0 GiB\n-# of 16.0 GiB"


def test_unit_and_decimals_can_be_chosen() -> None:
    assert text("metric", {**CONFIG, "unit": "count", "decimals": 1}, host=HOST) == "**Memory** 3,221,225,472.0"


def test_labels_choose_among_metrics_and_name_them() -> None:
    config = {"source": "host", "metric": "temperature", "labels": {"sensor": "cpu_0"}}
    assert text("metric", config, host=HOST) == r"**temperature{sensor=cpu\_0}** 71 °C"


def test_a_unit_from_outside_is_escaped() -> None:
    shown = text("metric", CONFIG, host=metrics(Metric("memory", 1, "**[x](http://x)**\n# y")))
    assert "**[" not in shown
    assert "\n" not in shown


def test_an_unknown_metric_says_which_there_are() -> None:
    with pytest.raises(UnknownMetricError, match=r"has no metric “disk”. It has: memory, temperature"):
        render("metric", {**CONFIG, "metric": "disk"}, host=HOST)


def test_an_unknown_source_says_which_there_are() -> None:
    with pytest.raises(UnknownSourceError, match="Known: host"):
        render("metric", {**CONFIG, "source": "hots"}, host=HOST)


def test_thresholds_out_of_order_are_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidConfigError, match="thresholds: critical must lie above warning"):
        component("metric", {**CONFIG, "thresholds": {"warning": 90, "critical": 80}})


def test_the_source_is_known_for_refreshing() -> None:
    config = {**CONFIG, "detail": "{{ message('router') }} {{ metric( \"nas\", 'x') }}"}
    assert component("metric", config).sources() == {"host", "router", "nas"}
