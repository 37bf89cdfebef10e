"""Building a dashboard of ten components from rows, beside writing the same message by hand with discord.ui."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import discord

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.rendering.regions import GuildRegions
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.guilds import Guild
from app.bot.domain.readings.reading import Metric, Reading
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.discord.blocks import to_layout
from app.shared.locales import locale_forms
from app.shared.templating import SandboxedTemplates

ROUNDS = 1_000
GUILDS = {1: Guild(1, "Lab", "Europe/Berlin", "de-DE")}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sample_components(dashboard_id: int = 1, first_id: int = 1) -> tuple[DashboardComponent, ...]:
    """Ten components of a usual dashboard: two lines of text, six metrics, a separator and a row of buttons."""
    metric: dict[str, object] = {"source": "lab", "metric": "load.percent"}
    configs: list[tuple[str, dict[str, object]]] = [
        ("heading", {"text": "{{ dashboard.name }}"}),
        ("text", {"text": "Load **{{ metric('lab', 'load.percent') }}**"}),
        *[("metric", {"label": f"Load {number}", **metric}) for number in range(3)],
        *[("gauge", {"label": f"Load {number}", **metric}) for number in range(3)],
        ("separator", {}),
        ("buttons", {"buttons": [{"label": "Refresh", "do": "refresh"}]}),
    ]
    return tuple(
        DashboardComponent(first_id + index, dashboard_id, kind, index, config=config)
        for index, (kind, config) in enumerate(configs)
    )


def sample_readings() -> ReadingStore:
    """One source with one metric."""
    store = ReadingStore()
    store.define([DataSource(1, "lab", "static")], NOW)
    put_load(store, 42.0)
    return store


def put_load(store: ReadingStore, percent: float) -> None:
    """Put a new reading of the sample source."""
    store.put("lab", Reading(NOW, metrics=(Metric("load.percent", percent, "percent"),)))


def sample_builder(readings: ReadingStore) -> DashboardBuilder:
    """Return the builder as the bot composes it."""
    return DashboardBuilder(
        ComponentFactory(component_types),
        readings,
        SandboxedTemplates(filters=FILTERS, finalize=finalize),
        region_of=GuildRegions(lambda: GUILDS, locale_forms).of,
    )


def by_hand(texts: list[str], custom_id: str) -> discord.ui.LayoutView:
    """Return the same message, written by someone who knows what it shows."""
    layout = discord.ui.LayoutView(timeout=None)
    container: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container()
    for text in texts:
        if text:
            container.add_item(discord.ui.TextDisplay(text))
        else:
            container.add_item(discord.ui.Separator())
    row: discord.ui.ActionRow[discord.ui.LayoutView] = discord.ui.ActionRow()
    row.add_item(discord.ui.Button(label="Refresh", custom_id=custom_id))
    container.add_item(row)
    layout.add_item(container)
    return layout


def _texts_of(layout: discord.ui.LayoutView) -> list[str]:
    """Return what each part of the built message says, for the hand-written twin; a separator as an empty text."""
    texts: list[str] = []
    for item in layout.walk_children():
        if isinstance(item, discord.ui.TextDisplay):
            texts.append(item.content)
        elif isinstance(item, discord.ui.Separator):
            texts.append("")
    return texts


def _median_microseconds(before: Callable[[], object], *actions: Callable[[], object]) -> list[float]:
    """Median time of each action, taken in turns so that a drifting machine is the same for all.

    `before` runs ahead of every action and is not part of the time.
    """
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, taken in zip(actions, times, strict=True):
            before()
            start = time.perf_counter()
            action()
            taken.append((time.perf_counter() - start) * 1e6)
    return [statistics.median(taken) for taken in times]


async def run() -> None:
    """Print both medians and their ratio. Every build shows a value that was never shown before."""
    dashboard = Dashboard(1, 1, "Rack", components=sample_components())
    readings = sample_readings()
    builder = sample_builder(readings)
    view = builder.build(dashboard, NOW)
    assert not view.problems, view.problems
    texts = _texts_of(to_layout(view, 1))
    values = itertools.count(0.0, 0.025)

    built, handmade, compared = _median_microseconds(
        lambda: put_load(readings, next(values)),
        lambda: to_layout(builder.build(dashboard, NOW), 1),
        lambda: by_hand(texts, "hl:10:refresh:"),
        lambda: builder.build(dashboard, NOW).fingerprint,
    )
    print(f"from rows to discord.ui     {built:8.0f} us a dashboard of 10 components")
    print(f"by hand in discord.ui       {handmade:8.0f} us the same message")
    print(f"ratio                       {built / handmade:8.2f}    (budget: at most 3)")
    print(f"build and compare, no edit  {compared:8.0f} us, {compared / handmade:.2f} of constructing it by hand")
