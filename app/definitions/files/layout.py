"""Definitions as files: all in one, or a folder with one file for each dashboard and each kind of everything else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from app.definitions.files.documents import GUILD
from app.definitions.files.environment import escape_references
from app.definitions.files.exporting import Definitions
from app.definitions.files.references import secrets_in
from app.definitions.files.sections import DASHBOARDS, NEEDED_SECRETS
from app.shared.yaml import write_yaml

SCHEMA_FILE = "homelab.schema.json"
_MODELINE = "# yaml-language-server: $schema={}\n"
_LONGEST_NAME = 60


def one_file(definitions: Definitions) -> str:
    """Everything as the text of one file."""
    return _file(definitions, SCHEMA_FILE)


def folder(definitions: Definitions) -> dict[str, str]:
    """The texts of the files of a folder, by their paths in it."""
    files = {}
    for name, entries in definitions.items():
        if name not in (DASHBOARDS.name, NEEDED_SECRETS):
            files[f"{name}.yaml"] = _file(_with_secrets({name: entries}), SCHEMA_FILE)
    for path, dashboard in _dashboard_files(definitions.get(DASHBOARDS.name, ())):
        files[str(path)] = _file(_with_secrets({DASHBOARDS.name: [dashboard]}), f"../{SCHEMA_FILE}")
    return files


def _dashboard_files(dashboards: Any) -> Iterator[tuple[PurePosixPath, Mapping[str, Any]]]:
    taken: set[str] = set()
    for dashboard in dashboards:
        wanted = name = _file_name(dashboard["name"])
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name)
        yield PurePosixPath(DASHBOARDS.name, f"{name}.yaml"), dashboard


def _file_name(name: str) -> str:
    """A name that every file system takes: letters and digits of ASCII in lower case, with dashes between."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_NAME].strip("-") or "dashboard"


def _with_secrets(definitions: Definitions) -> Definitions:
    secrets = sorted(set(secrets_in(definitions)))
    return {**definitions, NEEDED_SECRETS: secrets} if secrets else definitions


def _file(definitions: Definitions, schema: str) -> str:
    """The text of a file. The server of all its dashboards stands at its top, once."""
    guilds = {dashboard["guild"] for dashboard in definitions.get(DASHBOARDS.name, ())}
    if len(guilds) == 1:
        without = [
            {key: value for key, value in dashboard.items() if key != "guild"}
            for dashboard in definitions[DASHBOARDS.name]
        ]
        definitions = {GUILD: next(iter(guilds)), **definitions, DASHBOARDS.name: without}
    parts = [write_yaml(escape_references({name: value})) for name, value in definitions.items()]
    return _MODELINE.format(schema) + "\n".join(parts)
