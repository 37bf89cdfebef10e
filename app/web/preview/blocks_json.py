"""Blocks as JSON, for the REST API."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from app.bot.domain.blocks.block import Block, Button, Container, Image, Option, Problem, Section
from app.bot.domain.charts.chart import Picture

Part = Block | Button | Option | Image


def block_json(block: Part) -> dict[str, Any]:
    """Return a block as an object: its `kind` in lower case, and its fields."""
    values: dict[str, Any] = {"kind": type(block).__name__.lower()}
    for field in fields(block):
        if field.name == "call":
            continue  # what a click does is the bot's own affair
        values[field.name] = _value(getattr(block, field.name))
    if isinstance(block, (Container, Section)) and "accent" in values and values["accent"] is not None:
        values["accent"] = f"#{values['accent']:06x}"
    return values


def problem_json(problem: Problem) -> dict[str, str]:
    """Return a problem without its kind."""
    return {"title": problem.title, "detail": problem.detail}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Picture):
        return {"filename": value.filename, "digest": value.digest}
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return block_json(value)
    return value
