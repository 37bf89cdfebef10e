"""Files as lists of entries: one for each definition, checked for what can be checked without a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from app.definitions.files.documents import GUILD, INCLUDE, Document
from app.definitions.files.problems import Problem
from app.definitions.files.sections import COMPONENTS, DASHBOARDS, NAMED_COMPONENTS, NEEDED_SECRETS, SECTIONS, Section
from app.shared.yaml import Node, Place

_TOP = (INCLUDE, GUILD, NEEDED_SECRETS, *SECTIONS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of a file. `components` None: the file says nothing about them, so they stay as they are."""

    section: Section
    node: Node
    document: Document
    components: tuple[Entry, ...] | None = None
    parent: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """What the file says, by the record's names of the fields."""
        fields = self.section.fields
        return {fields[name]: node.data() for name, node in self.node.fields.items() if name in fields}

    @property
    def subject(self) -> str:
        """What the entry is called in plans and errors."""
        own = self.section.subject(self.values)
        return f"{self.parent} › {own}" if self.parent else own

    def problem(self, path: str, message: str) -> Problem:
        """What is wrong with a field, which has its name of the record."""
        path = self.section.file_field(path)
        return Problem(self.node.find(path), message, path, self.subject)


@dataclass(slots=True)
class Entries:
    """All entries by section, and which servers' records the files are about."""

    by_section: dict[Section, list[Entry]] = field(default_factory=dict)
    scopes: dict[Section, list[Node]] = field(default_factory=dict)
    """For each section that belongs to servers, the servers that stand at the top of files which have the section."""
    places: dict[Section, Place] = field(default_factory=dict)
    """Where each section stands first."""
    secrets: set[str] = field(default_factory=set)
    """Names of the secrets that files list."""


def read_entries(documents: Iterable[Document], problems: list[Problem]) -> Entries:
    """The entries of all documents. What is no entry goes to `problems`."""
    entries = Entries()
    for document in documents:
        _check_names(document.root, _TOP, "section", problems)
        for name, section in SECTIONS.items():
            if name in document.root.fields:
                found = entries.by_section.setdefault(section, [])
                entries.places.setdefault(section, document.root.fields[name].place)
                found += _listed(section, document.root.fields[name], document, problems)
                if section.of_guilds and document.guild is not None:
                    entries.scopes.setdefault(section, []).append(document.guild)
        entries.secrets |= set(_secrets(document.root.fields.get(NEEDED_SECRETS), problems))
    return entries


def _listed(
    section: Section, listed: Node, document: Document, problems: list[Problem], *, parent: str = ""
) -> Iterator[Entry]:
    path = section.name
    if listed.value is not None and not isinstance(listed.value, tuple):
        problems.append(Problem(listed.place, "must be a list; begin each entry with a dash", path, parent))
    for index, node in enumerate(listed.items):
        if isinstance(node.value, Mapping):
            yield _entry(section, node, document, problems, parent)
        else:
            problems.append(Problem(node.place, "must be a mapping, such as name: …", f"{path}.{index}", parent))


def _entry(section: Section, node: Node, document: Document, problems: list[Problem], parent: str) -> Entry:
    entry = Entry(section, node, document, parent=parent)
    more = (NAMED_COMPONENTS,) if section is DASHBOARDS else ()
    _check_names(node, (*section.fields, *more), "field", problems, subject=entry.subject)
    if section is not DASHBOARDS or NAMED_COMPONENTS not in node.fields:
        return entry
    listed = _listed(COMPONENTS, node.fields[NAMED_COMPONENTS], document, problems, parent=entry.subject)
    return Entry(section, node, document, tuple(listed))


def _check_names(node: Node, known: tuple[str, ...], what: str, problems: list[Problem], *, subject: str = "") -> None:
    for name, value in node.fields.items():
        if name not in known and not (what == "section" and name.startswith("x-")):
            near = get_close_matches(name, known, 1)
            hint = f"did you mean “{near[0]}”?" if near else f"known: {', '.join(known)}"
            problems.append(Problem(value.place, f"no such {what}; {hint}", name, subject))


def _secrets(node: Node | None, problems: list[Problem]) -> Iterator[str]:
    if node is None or node.value is None:
        return
    if not isinstance(node.value, tuple):
        problems.append(Problem(node.place, "must be a list of names of secrets", NEEDED_SECRETS))
    for item in node.items:
        if isinstance(item.value, str):
            yield item.value
        else:
            problems.append(Problem(item.place, "must be the name of a secret, never its value", NEEDED_SECRETS))
