"""Logging, judged by the lines that come out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import logs

TOKEN = "MTMwMDAwMDAwMDAwMDAwMDAw.GabcdE.0123456789abcdefghijklmnopqrstuvwxyzAB"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    noisy = {name: logging.getLogger(name).level for name in ("discord.client", "discord.http", "alembic")}
    yield
    root.setLevel(level)
    root.handlers = handlers
    for name, known in noisy.items():
        logging.getLogger(name).setLevel(known)
    structlog.reset_defaults()
    logs._secrets.clear()


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_secret_gets_into_a_line_not_even_by_a_traceback(style: str) -> None:
    stream = io.StringIO()
    logs.configure_logging("DEBUG", style, stream)
    logs.hide("correct horse battery")
    log = structlog.get_logger("test")

    log.info("token", value=TOKEN)
    log.info("address", url="postgresql://homelab_bot:s3cret@db.lan:5432/homelab")
    logging.getLogger("aiohttp").warning("POST /webhooks/123/aW50ZXJhY3Rpb246dG9rZW4tdG9rZW4 gave %s", 500)
    log.error("failed", exc_info=ValueError(f"correct horse battery and Bot {TOKEN}"))

    text = stream.getvalue()
    for secret in (TOKEN, "s3cret", "aW50ZXJhY3Rpb246dG9rZW4tdG9rZW4", "correct horse battery"):
        assert secret not in text
    assert "db.lan" in text
    assert "ValueError" in text
    assert text.count(logs.HIDDEN) >= 5


def test_json_is_one_object_per_line_with_level_time_and_fields() -> None:
    stream = io.StringIO()
    logs.configure_logging("INFO", "json", stream)
    structlog.get_logger("app.bot").warning("data source is down", source="nas")
    logging.getLogger("discord.gateway").info("Shard %s has connected", 0)
    logging.getLogger("discord.http").info("one line for each request")

    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["source"], first["level"], first["logger"]) == (
        "data source is down",
        "nas",
        "warning",
        "app.bot",
    )
    assert first["time"].endswith("Z")
    assert second["event"] == "Shard 0 has connected"


def test_configuring_twice_does_not_double_the_lines() -> None:
    stream = io.StringIO()
    logs.configure_logging("INFO", "console", io.StringIO())
    logs.configure_logging("WARNING", "console", stream)
    structlog.get_logger("test").info("left out")
    structlog.get_logger("test").warning("kept")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_short_secret_does_not_hide_ordinary_words() -> None:
    logs.hide("a")
    logs.hide(None)
    assert logs.redact("a database") == "a database"
