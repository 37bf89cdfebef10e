"""The catalog's component types that are made of others."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import Block, Buttons, Container, Section, Text, View
from app.bot.domain.components.component import component_types
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.readings.reading import Metric, Reading
from app.bot.domain.readings.thresholds import Level
from app.definitions.builtin_types import describe
from app.definitions.catalog import component_templates
from app.definitions.component_templates import ComponentTemplateChecks, StoredType
from app.shared.expressions import CelExpressions
from app.shared.yaml import write_yaml
from tests.support.catalog import seed
from tests.support.database import Database
from tests.support.rendering import NOW, TEMPLATES, assert_fits_discord, down, metrics, store

ROWS = component_templates()
TYPES = [
    ComponentTemplate(name, row["title"], row["description"], row["config_schema"], row["definition"])
    for name, row in ROWS.items()
]


def lab() -> ReadingStore:
    """The sources that the cards expect, with what such sources give."""
    percent = {"cpu.percent": 34.0, "memory.percent": 61.0}
    host = [Metric(name, value, "percent") for name, value in percent.items()]
    host += [
        Metric("disk.percent", value, "percent", {"mount": mount}) for mount, value in (("/", 47.0), ("/srv", 83.0))
    ]
    host += [Metric("uptime", 3_628_800.0, "seconds"), Metric("temperature", 52.0, "celsius")]
    flow = [
        metrics(*host, *(Metric(f"network.{way}", rate * 1e6, "bytes/s") for way in ("receive", "transmit")))
        for rate in (1, 9, 4)
    ]
    return store(
        host=flow,
        docker=metrics(
            containers=[
                {
                    "name": "web*1",
                    "image": "nginx:1",
                    "status": "running",
                    "cpu": 12.5,
                    "memory": 2**28,
                    "uptime": 7200,
                },
                {"name": "wiki", "image": "wiki:1", "status": "exited", "cpu": None, "memory": None, "uptime": None},
                {
                    "name": "shop",
                    "title": "Shop",
                    "icon": "🛒",
                    "image": "shop:1",
                    "status": "unhealthy",
                    "ports": "8080→80/tcp",
                    "uptime": 60,
                    "cpu": None,
                    "url": "https://shop.example.org",
                },
            ]
        ),
        ups=metrics(
            Metric("battery.percent", 42.0, "percent"),
            Metric("load.percent", 31.0, "percent"),
            Metric("runtime", 2_760.0, "seconds"),
            Metric("input.voltage", 231.0, "volt"),
        ),
        media=metrics(
            Metric("bandwidth", 24e6, "bits/s"),
            sessions=[{"user": "Anna", "title": "Severance", "device": "TV", "state": "playing", "progress": 62}],
        ),
        backups=metrics(
            backups=[
                {"name": "nas to cloud", "status": "ok", "finished": "2026-05-01T07:00:00+00:00", "size": 4e11},
                {
                    "name": "photos",
                    "status": "failed",
                    "finished": None,
                    "size": None,
                    "message": "Repository is locked",
                },
            ]
        ),
        certificates=metrics(
            certificates=[
                {"name": "home.example.org", "issuer": "Let's Encrypt", "days": 71},
                {"name": "mail.example.org", "issuer": "Let's Encrypt", "days": 4},
            ]
        ),
        nas=metrics(
            Metric("disk.used", 9.4e12, "bytes"),
            Metric("disk.total", 16e12, "bytes"),
            disks=[
                {"name": "sda", "model": "WD Red", "temperature": 37, "health": "ok"},
                {"name": "sdc", "model": "IronWolf", "temperature": 46, "health": "warning"},
            ],
        ),
        website=[
            metrics(Metric("latency", latency, "seconds"), Metric("certificate.days", 19.0, "days"))
            for latency in (0.02, 0.09, 0.04)
        ],
        games=metrics(
            servers=[
                {
                    "name": "Survival",
                    "game": "Minecraft",
                    "status": "online",
                    "players": 4,
                    "maximum": 20,
                    "address": "mc.example.org",
                },
                {
                    "name": "Friday",
                    "game": "CS",
                    "status": "offline",
                    "players": None,
                    "maximum": 12,
                    "address": "cs.example.org",
                },
            ]
        ),
    )


SHOWN: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "server_card",
        {"temperature_metric": "temperature"},
        ["### 🖥️ host", "Up 42 d", "52 °C", "🟢 `CPU   ` ▰▰▰▱", "🟡 `/srv` ▰▰▰▰▰▰▰▰▱▱ 83", "↓ 3.8"],
    ),
    ("server_card", {"title": "Attic", "disks": False, "network": False}, ["Attic", "`Memory`"]),
    (
        "container_card",
        {"container": "web*1"},
        [r"📦 web\*1", "🟢 **running** · up 2 h", "CPU 12"],
    ),
    ("container_card", {"container": "wiki", "action": "restart_wiki"}, ["🔴 **exited**", "[Restart]"]),
    (
        "container_card",
        {"container": "shop"},
        ["🛒 Shop", "8080→80/tcp", "🔴 **unhealthy** · up 1 min", "[Open](<https://shop.example.org>)"],
    ),
    ("container_card", {"container": "gone"}, ["There is no container of this name"]),
    ("ups_card", {}, ["🟡 `Charge` ▰▰▰▰▱", "42 %", "46 min left", "🟢 `Load  `", "Mains 231"]),
    (
        "media_server_card",
        {"url": "https://media.example.org"},
        ["24.0", "▶️ **Severance**", r"Anna · TV · 62 %", "[Open]"],
    ),
    ("backup_status", {}, ["🟢 **nas to cloud** · <t:", "🔴 **photos** · never", "Repository is locked"]),
    ("certificate_list", {}, ["🔴 **mail.example.org** · 4", "🟢 **home.example.org** · 71"]),
    ("certificate_list", {"only_soon": True}, ["mail.example.org"]),
    ("nas_card", {}, ["**Space** ▰▰▰▰▰▰▱▱▱▱", "🟢 **sda** · WD Red · 37 °C", "🟡 **sdc**", "· warning"]),
    (
        "website_card",
        {"certificate": "certificate.days", "url": "https://example.org"},
        ["🌐 website", "🟢 Online", "40 ms", "19 d", "[Open]"],
    ),
    (
        "game_server_card",
        {},
        ["🟢 **Survival** · Minecraft · 4 / 20 players", "`mc.example.org`", "🔴 **Friday** · CS · offline"],
    ),
    ("game_server_card", {"server": "Friday", "address": False}, ["🔴 **Friday**"]),
    ("internet_card", {"latency_source": "website"}, ["🟢 40 ms", "↓ **3.8", "**Received**"]),
]


def build(name: str, config: dict[str, Any], readings: ReadingStore) -> View:
    builder = DashboardBuilder(
        ComponentFactory(component_types, TYPES), readings, TEMPLATES, expressions=CelExpressions()
    )
    board = Dashboard(
        1, 1, "Lab", components=(DashboardComponent(1, 1, name, config=config),), layout={"footer": False}
    )
    return builder.build(board, NOW)


def words(block: Block) -> str:
    match block:
        case Container():
            return "\n".join(map(words, block.children))
        case Section():
            return "\n".join(text.text for text in block.texts)
        case Text():
            return block.text
        case Buttons():
            return " ".join(f"[{button.label}]" for button in block.buttons)
    return ""


@pytest.mark.parametrize(("name", "config", "expected"), SHOWN)
def test_each_card_shows_what_its_source_gives(name: str, config: dict[str, Any], expected: list[str]) -> None:
    view = build(name, config, lab())
    assert view.problems == ()
    assert_fits_discord(view)
    text = "\n".join(map(words, view.blocks))
    assert [part for part in expected if part not in text] == [], text


def test_every_card_is_shown_by_a_test() -> None:
    assert {name for name, _, _ in SHOWN} == set(ROWS)
    assert len(ROWS) == 10


@pytest.mark.parametrize("reading", [None, down("It is *gone*")])
@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_source_without_data_is_no_problem(name: str, reading: Reading | None) -> None:
    names = ("host", "docker", "ups", "media", "backups", "certificates", "nas", "website", "games")
    config = {"container": "web"} if name == "container_card" else {}
    view = build(name, config, store(**dict.fromkeys(names, reading)))
    assert view.problems == ()
    assert_fits_discord(view)
    (frame,) = view.blocks
    assert isinstance(frame, Container)
    assert frame.accent == (Level.CRITICAL if reading else Level.MISSING).accent
    if reading:
        assert r"It is \*gone\*" in words(frame) or "gone" in words(frame)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_each_could_be_saved_in_the_web_admin(name: str) -> None:
    row = ROWS[name]
    stored = [StoredType(type_.name, type_.config_schema, type_.definition) for type_ in TYPES]
    checks = ComponentTemplateChecks(dict(component_types.items()))
    assert checks.type_errors(name, row["config_schema"], row["definition"], stored) == []
    described = row["config_schema"]["properties"].values()
    assert row["title"]
    assert row["description"]
    assert all(part.get("title") for part in described)


def edition(title: str) -> dict[str, str]:
    """Another edition of the catalog, with one type that has this title."""
    return {"ups_card.yaml": write_yaml({"component_types": [{**ROWS["ups_card"], "title": title}]})}


async def title(owner: asyncpg.Connection) -> str | None:
    found: str | None = await owner.fetchval("SELECT title FROM component_types WHERE name = 'ups_card'")
    return found


async def test_a_new_builtin_type_takes_the_name_of_one_that_people_made(
    owner: asyncpg.Connection, database: Database
) -> None:
    await owner.execute("INSERT INTO component_types (name, kind, title) VALUES ('gauge', 'template', 'mine')")
    await seed(database, describe("component_types", component_types.items()))
    row = await owner.fetchrow("SELECT kind, title FROM component_types WHERE name = 'gauge'")
    assert row is not None
    assert tuple(row) == ("builtin", "Gauge")


async def test_types_are_added_once(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database)
    rows = await owner.fetch("SELECT name FROM component_types WHERE kind = 'template'")
    assert {row["name"] for row in rows} == set(ROWS)
    before = await owner.fetch("SELECT * FROM definition_revisions ORDER BY table_name")
    await seed(database)
    assert await owner.fetch("SELECT * FROM definition_revisions ORDER BY table_name") == before


async def test_a_new_edition_reaches_what_nobody_changed(owner: asyncpg.Connection, database: Database) -> None:
    for name in ("first", "second", "third"):
        await seed(database, texts=edition(name))
        assert await title(owner) == name


async def test_what_a_user_changed_stays(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database, texts=edition("first"))
    await owner.execute("UPDATE component_types SET title = 'mine' WHERE name = 'ups_card'")
    for name in ("second", "third"):
        await seed(database, texts=edition(name))
        assert await title(owner) == "mine"


async def test_what_a_user_deleted_stays_away(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database, texts=edition("first"))
    await owner.execute("DELETE FROM component_types WHERE name = 'ups_card'")
    for name in ("first", "second"):
        await seed(database, texts=edition(name))
        assert await title(owner) is None


async def test_a_type_of_the_same_name_that_was_there_before_is_the_users(
    owner: asyncpg.Connection, database: Database
) -> None:
    await owner.execute("INSERT INTO component_types (name, kind, title) VALUES ('ups_card', 'template', 'mine')")
    for name in ("first", "second"):
        await seed(database, texts=edition(name))
        assert await title(owner) == "mine"
