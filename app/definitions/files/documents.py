"""Files and folders of definitions, with the files that they include."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from app.definitions.files.environment import Environment
from app.definitions.files.problems import ConfigurationError, Problem
from app.shared.yaml import NO_YAML, Node, Place, Tags, YamlError, read_yaml

SUFFIXES = (".yaml", ".yml")
INCLUDE = "include"
GUILD = "guild"
STANDARD_INPUT = "-"
_MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """One file: what it says, and the server that its definitions belong to where they name none.

    `place`: ids of the server and the channel of its dashboards, where the program gives these and not the file.
    """

    file: str
    root: Node
    guild: Node | None = None
    place: tuple[int, int | None] | None = None


@dataclass(slots=True)
class _Read:
    """A file that was read, and who includes it."""

    shown: str
    root: Node
    included_by: list[Path]


def read_files(paths: Sequence[Path], variables: Mapping[str, str] | None) -> list[Document]:
    """Read the files, all YAML files in the folders, and what these include; each file once. `-` is standard input.

    `variables` is the environment. Raises ConfigurationError with everything that is wrong in any of them.
    """
    reading = _Reading(paths, Environment(variables))
    for path in paths:
        reading.add(path)
    return reading.documents()


def read_document(
    text: str, file: str, *, place: tuple[int, int | None] | None = None, tags: Tags = MappingProxyType({})
) -> Document:
    """Return a document that is no file: it can include none, and knows no environment. Raises ConfigurationError."""
    problems: list[Problem] = []
    root = Environment(None).replace(_parsed(text, file, tags), problems)
    if INCLUDE in root.fields:
        problems.append(Problem(root.fields[INCLUDE].place, "cannot be used here; send one document", INCLUDE))
    if problems:
        raise ConfigurationError(problems)
    return Document(file, root, root.fields.get(GUILD), place)


class _Reading:
    """Reads each file once, follows its includes, and refuses to leave the folders that were named."""

    def __init__(self, paths: Sequence[Path], environment: Environment) -> None:
        self._environment = environment
        self._given = {path.resolve() for path in paths}
        self._roots = {path.resolve() if path.is_dir() else path.resolve().parent for path in paths}
        self._read: dict[Path, _Read] = {}
        self._problems: list[Problem] = []

    def add(self, path: Path) -> None:
        """Read a file or a folder that was named."""
        if str(path) == STANDARD_INPUT:
            self._file(path, Path.cwd() / "standard input", ())
            return
        if not path.exists():
            self._complain(Place(str(path), 1), "there is no such file or folder")
            return
        files = list(files_in(path)) if path.is_dir() else [path]
        if not files:
            self._complain(Place(str(path), 1), f"holds no file that ends with {' or '.join(SUFFIXES)}")
        for file in files:
            if self._allowed(file.resolve()):
                self._file(file, file.resolve(), ())
            else:
                self._complain(Place(str(file), 1), "links to a file outside of the folder; name that file itself")

    def documents(self) -> list[Document]:
        """Return what was read, in the order in which it was met. Raises ConfigurationError."""
        made = [Document(read.shown, read.root, self._guild(path, read)) for path, read in self._read.items()]
        if self._problems:
            raise ConfigurationError(self._problems)
        return made

    def _file(self, path: Path, key: Path, chain: tuple[Path, ...]) -> None:
        if key not in self._read:
            root = self._root(path)
            self._read[key] = _Read(_shown(path), root, [])
            for place, field, included in self._included(root, path):
                target = included.resolve()
                if target == key or target in chain:
                    self._complain(place, f"includes {included.name}, which includes this file: a circle", field)
                    continue
                self._file(included, target, (*chain, key))
                self._read[target].included_by.append(key)

    def _root(self, path: Path) -> Node:
        try:
            root = _parsed(self._text(path), _shown(path))
        except ConfigurationError as error:
            self._problems += error.problems
            return Node({}, Place(_shown(path), 1))
        if not isinstance(root.value, Mapping) and root.value is not None:
            self._complain(root.place, "must be a mapping of sections, such as data_sources: and dashboards:")
        return self._environment.replace(root, self._problems)

    def _text(self, path: Path) -> str:
        shown = _shown(path)
        try:
            if str(path) == STANDARD_INPUT:
                with open(0, "rb", closefd=False) as file:
                    data = file.read(_MOST_BYTES + 1)
            else:
                with path.open("rb") as file:
                    data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise ConfigurationError([Problem(Place(shown, 1), f"cannot be read: {error.strerror}")]) from error
        if len(data) > _MOST_BYTES:
            raise ConfigurationError([Problem(Place(shown, 1), f"is larger than {_MOST_BYTES:,} bytes; split it")])
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigurationError([Problem(Place(shown, line), "is no UTF-8 text; save it as UTF-8")]) from error

    def _included(self, root: Node, path: Path) -> Iterator[tuple[Place, str, Path]]:
        """Yield the files that a file includes: place, field and path of each."""
        node = root.fields.get(INCLUDE)
        if node is None or node.value is None:
            return
        for item in node.items or (node,):
            if not isinstance(item.value, str) or not item.value:
                self._complain(item.place, "must be a list of files, such as [dashboards/*.yaml]", INCLUDE)
                continue
            yield from ((item.place, INCLUDE, found) for found in self._matching(item, item.value, path))

    def _matching(self, item: Node, pattern: str, path: Path) -> Iterator[Path]:
        folder = path.parent
        is_pattern = glob.has_magic(pattern)
        found = sorted(glob.glob(pattern, root_dir=folder, recursive=True)) if is_pattern else [pattern]
        found = [name for name in found if not is_pattern or (folder / name).resolve() != path.resolve()]
        if not found:
            self._complain(item.place, f"no file matches “{pattern}” in {folder.resolve().name}/", INCLUDE)
        for name in found:
            target = folder / name
            if not self._allowed(target.resolve()):
                text = f"“{name}” is outside of the folder; name that file or folder on the command line as well"
                self._complain(item.place, text, INCLUDE)
            elif target.is_file():
                yield target
            elif not is_pattern:
                near = get_close_matches(name, [str(one.relative_to(folder)) for one in files_in(folder)], 1)
                hint = f"; did you mean “{near[0]}”?" if near else ""
                self._complain(item.place, f"there is no file “{name}” in {folder.resolve().name}/{hint}", INCLUDE)

    def _allowed(self, resolved: Path) -> bool:
        return resolved in self._given or any(resolved.is_relative_to(root) for root in self._roots)

    def _guild(self, path: Path, read: _Read) -> Node | None:
        """Return the server that the file names, or the one of the files that include it."""
        own = read.root.fields.get(GUILD)
        if own is not None:
            return own
        inherited = [node for parent in read.included_by if (node := self._guild(parent, self._read[parent]))]
        if len({str(node.value) for node in inherited}) > 1:
            text = "is included by files of different servers; name the server in this file"
            self._complain(read.root.place, text, GUILD)
        return inherited[0] if inherited else None

    def _complain(self, place: Place, message: str, field: str = "") -> None:
        self._problems.append(Problem(place, message, field))


def _parsed(text: str, file: str, tags: Tags = MappingProxyType({})) -> Node:
    """Return what a file says. Raises ConfigurationError."""
    try:
        return read_yaml(text, file, tags=tags)
    except YamlError as error:
        raise ConfigurationError(
            Problem(place, message.replace(NO_YAML, f"is no YAML (column {place.column}): "))
            for place, message in error.problems
        ) from None


def files_in(folder: Path) -> Iterator[Path]:
    """Yield all YAML files of a folder and the folders in it, sorted; what is hidden is left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(place, name)


def _shown(path: Path) -> str:
    """Return the path as a user would type it here."""
    if str(path) == STANDARD_INPUT:
        return "standard input"
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
