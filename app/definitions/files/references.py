"""References across records: secrets that are missing, types that consist of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.components.component_templates import find_cycle, nested_types
from app.definitions.audit import HIDDEN, masked
from app.definitions.files.entries import Entries, Entry
from app.definitions.files.problems import Problem
from app.definitions.files.sections import NEEDED_SECRETS
from app.shared.database.models import SecretRow
from app.shared.yaml import walk

_SECRET = re.compile(r"\$\{secret:([^{}]*)\}")


def secrets_in(value: Any) -> Iterator[str]:
    """Yield the names of the secrets that a value refers to, at any depth."""
    if isinstance(value, str):
        yield from _SECRET.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def plain_secrets(definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each value that looks like a secret and stands in a definition as it is."""
    for section, entries in definitions.items():
        for entry in entries if section != NEEDED_SECRETS else ():
            for field in _hidden_fields(masked(entry), ""):
                name = entry.get("name") or entry.get("key") or ""
                yield (
                    f"{section} “{name}”: {field} looks like a secret in plain text. Enter it under Secrets in the web "
                    "admin, and write ${secret:name} instead."
                )


def _hidden_fields(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _hidden_fields(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _hidden_fields(item, f"{path}.{index}")
    elif isinstance(value, str) and HIDDEN in value:
        yield path


async def missing_secrets(database: AsyncSession, entries: Entries) -> tuple[str, ...]:
    """Return the names of the secrets that the entries need and the database does not have."""
    needed = set(entries.secrets)
    for found in entries.by_section.values():
        for entry in found:
            for _, node in walk(entry.node):
                needed.update(secrets_in(node.value if isinstance(node.value, str) else None))
    known = set(await database.scalars(select(SecretRow.name)))
    return tuple(sorted(needed - known))


def types_in_order(entries: Sequence[Entry], problems: list[Problem]) -> list[Entry]:
    """Sort component templates, each after its parts; one that would be a part of itself goes to `problems`."""
    uses = {str(entry.values.get("name")): nested_types(entry.values.get("definition")) for entry in entries}
    whole = []
    for entry in entries:
        circle = find_cycle(str(entry.values.get("name")), uses)
        if circle is None:
            whole.append(entry)
        else:
            problems.append(entry.problem("definition", f"the type would contain itself: {' → '.join(circle)}"))
    order = TopologicalSorter({name: uses[name] for name in (str(entry.values.get("name")) for entry in whole)})
    places = {name: place for place, name in enumerate(order.static_order())}
    return sorted(whole, key=lambda entry: places[str(entry.values.get("name"))])
