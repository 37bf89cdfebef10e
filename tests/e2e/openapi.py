"""Discord's official OpenAPI description as a judge of every JSON body that the bot sends.

The description is data of Discord's and no part of this project. Where a copy lies beside the checkout
(`../shared/discord/openapi.json`, or the path in DISCORD_OPENAPI) the bodies are checked against it.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from simcord.types import HttpLogEntry

PATH = Path(
    os.environ.get("DISCORD_OPENAPI", Path(__file__).parents[3] / "shared" / "discord" / "openapi.json")
).resolve()


def available() -> bool:
    """Whether the description is there."""
    return PATH.is_file()


def check_bodies(requests: Iterable[HttpLogEntry]) -> int:
    """Assert that each request with a JSON body is one that Discord describes; returns how many were checked."""
    checked = 0
    for request in requests:
        if request.json is None:
            continue
        validator = _validator(request.method.lower(), _template_of(request.method.lower(), request.path))
        error = best_match(validator.iter_errors(request.json))
        body = json.dumps(request.json)[:2000]
        assert error is None, f"{request.method} {request.path}: {error.json_path}: {error.message[:500]}\n{body}"
        checked += 1
    return checked


@functools.cache
def _description() -> dict[str, Any]:
    description: dict[str, Any] = json.loads(PATH.read_text())
    return description


@functools.cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """Templates as patterns, those with the fewest parameters first: `@original` before `{message_id}`."""
    templates = sorted(_description()["paths"], key=lambda template: template.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), template) for template in templates]


def _template_of(method: str, path: str) -> str:
    for pattern, template in _routes():
        if pattern.fullmatch(path) and method in _description()["paths"][template]:
            return template
    raise AssertionError(f"Discord describes no {method.upper()} {path}")


@functools.cache
def _validator(method: str, template: str) -> Draft202012Validator:
    body = _description()["paths"][template][method]["requestBody"]["content"]["application/json"]["schema"]
    schema = {"components": {"schemas": _description()["components"]["schemas"]}, **body}
    return Draft202012Validator(_exact(schema))


def _exact(schema: Any) -> Any:
    """The schema with its unions made checkable.

    Members of a union are told apart by constants in Discord's own parser. In plain JSON Schema a body may fit two
    members that differ in optional fields only, which `oneOf` would refuse, so it is read as `anyOf`.
    """
    if isinstance(schema, list):
        return [_exact(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {("anyOf" if key == "oneOf" else key): _exact(value) for key, value in schema.items()}
