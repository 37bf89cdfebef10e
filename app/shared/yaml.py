"""YAML 1.2: the one reader and the one writer, for files of definitions, the catalog and texts typed into forms.

A text means the same wherever it stands. Nothing in it can make an object, or more of itself than a limit.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

Scalar = str | int | float | bool | None
Tags = Mapping[str, Callable[[str], Scalar]]
"""By tag, such as `!time`, the meaning of the text behind it; a ValueError says what is wrong with the text."""

MAX_TYPED_CHARACTERS = 200_000
DEEPEST = 60
MOST_VALUES = 500_000
"""Values in one text, aliases counted as what they stand for."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset({None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))})
_TEXT_TAGS = frozenset({"!", f"{_CORE}str"})
_MERGE = "<<"
NO_YAML = "is no YAML: "
"""Begins the description of what the parser refuses; what follows is in its words."""
_SURROGATES = "\\ud"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; the first line and the first column are 1."""

    file: str
    line: int
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class YamlError(ValueError):
    """A text that cannot be read; `problems` holds the place and the description of everything that is wrong."""

    def __init__(self, problems: list[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{place}: {message}" if place.file else message for place, message in problems))


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place; that of a value in a mapping is the place of its key.

    `plain`: text without quotes, whose meaning follows from its look.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    place: Place
    plain: bool = False

    @property
    def fields(self) -> Mapping[str, Node]:
        """The entries of a mapping; of anything else, none."""
        return self.value if isinstance(self.value, Mapping) else MappingProxyType({})

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; of anything else, none."""
        return self.value if isinstance(self.value, tuple) else ()

    def data(self) -> Any:
        """Return the value as Python has it."""
        if isinstance(self.value, Mapping):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.data() for node in self.value]
        return self.value

    def find(self, path: str) -> Place:
        """Return the place of what a dotted path leads to, or of the nearest that is there. Keys may hold dots."""
        if isinstance(self.value, tuple):
            first, _, rest = path.partition(".")
            if first.isdigit() and int(first) < len(self.value):
                return self.value[int(first)].find(rest)
            return self.place
        for key in sorted(self.fields, key=len, reverse=True):
            if path == key or path.startswith(f"{key}."):
                return self.fields[key].find(path[len(key) + 1 :])
        return self.place


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every node with its dotted path."""
    yield path, node
    numbered = ((str(index), item) for index, item in enumerate(node.items))
    for key, child in node.fields.items() if node.fields else numbered:
        yield from walk(child, f"{path}.{key}" if path else key)


# What plain text means: the core schema of YAML 1.2, as editors and JSON have it. So `no`, `on`, `12:30` and dates are
# text, which YAML 1.1 made surprises of.

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_INTEGER = 400
"""Digits; Python refuses to read more than some thousands, and nothing here takes that many."""


def plain_value(text: str) -> Scalar:
    """Return what the text means where it stands without quotes."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return number_or_text(text)


def number_or_text(text: str) -> str | int | float:
    """Return the number that the text is, or the text. A number beyond all sense is an infinite one."""
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INTEGER else math.inf
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0) if len(text) <= _LONGEST_INTEGER else math.inf
    if _NUMBER.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


# Reading


def read_yaml(text: str, file: str, *, tags: Tags = MappingProxyType({}), aliases: bool = True) -> Node:
    """Return what the text says; nothing is an empty mapping. `file` is its name in errors. Raises YamlError."""
    composer = _Composer(text, file, tags, aliases=aliases)
    try:
        node = composer.document()
    except yaml.MarkedYAMLError as error:
        what = " ".join(part for part in (error.problem, error.context) if part)
        place = _within(text, _place(error.problem_mark or error.context_mark, file))
        composer.complain(place, f"{NO_YAML}{what}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(0, error.position)) + 1
        message = f"holds a character that YAML does not allow (U+{_code(error.character):04X})"
        composer.complain(Place(file, line), message)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        composer.complain(Place(file, line), "holds half of a pair of surrogates, which is no character")
    except _TooMuchError as error:
        composer.complain(error.place, str(error))
    if composer.problems:
        raise YamlError(composer.problems)
    return node


def read_typed_yaml(text: str) -> Any:
    """Return the value of a text that was typed into a form, without aliases. JSON is YAML, so it is read too.

    Raises YamlError, whose text says in which line and column.
    """
    if len(text) > MAX_TYPED_CHARACTERS:
        raise YamlError([(Place("", 1), f"this is longer than {MAX_TYPED_CHARACTERS:,} characters")])
    if not text.strip():
        return None
    try:
        return read_yaml(text, "", aliases=False).data()
    except YamlError as error:
        if _SURROGATES in text.lower():  # what JSON writes as two escapes is one character, which YAML does not know
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(text)
        place, message = error.problems[0]
        where = f"line {place.line}, column {place.column}"
        text = f"this is no YAML ({where}): {message.removeprefix(NO_YAML)}"
        raise YamlError([(place, text)]) from None


class _TooMuchError(Exception):
    def __init__(self, place: Place, message: str) -> None:
        self.place = place
        super().__init__(message)


class _Composer:
    """Makes nodes of the parser's events: iterating, so that no depth of nesting can overflow the C parser's stack."""

    def __init__(self, text: str, file: str, tags: Tags, *, aliases: bool) -> None:
        self.problems: list[tuple[Place, str]] = []
        self._events: Iterator[Event] = yaml.parse(text, Loader=_LOADER)
        self._file = file
        self._tags = tags
        self._aliases = aliases
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def complain(self, place: Place, message: str) -> None:
        self.problems.append((place, message))

    def document(self) -> Node:
        node = Node({}, Place(self._file, 1))
        documents = 0
        for event in self._events:
            match event:
                case StreamStartEvent() | StreamEndEvent() | DocumentEndEvent():
                    continue
                case DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        place = self._place(event)
                        self.complain(place, "starts a second document (---); put it into a file of its own")
                        return node
                case _:
                    node = self._node(event, 0)
        return node

    def _place(self, event: Event) -> Place:
        return _place(event.start_mark, self._file)

    def _node(self, event: Event, depth: int) -> Node:
        place = self._place(event)
        self._count += 1
        if self._count > MOST_VALUES:
            raise _TooMuchError(place, f"holds more than {MOST_VALUES:,} values; split it into several files")
        if depth > DEEPEST:
            raise _TooMuchError(place, f"is nested deeper than {DEEPEST} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event, place)
        before = self._count
        node = self._value(event, place, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = (node, self._count - before)
        return node

    def _value(self, event: Event, place: Place, depth: int) -> Node:
        tag: Any = getattr(event, "tag", None)
        if tag not in _TAGS and tag not in self._tags:
            self.complain(place, f"has the tag {tag}, which is not known here; leave it out")
        if isinstance(event, MappingStartEvent):
            return Node(self._mapping(depth), place)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Node(tuple(items), place)
        assert isinstance(event, ScalarEvent)  # noqa: S101  # the parser gives nothing else here
        text = str(event.value)
        if tag in self._tags:
            return Node(self._tagged(tag, text, place), place)
        plain = not event.style and event.tag not in _TEXT_TAGS
        return Node(plain_value(text) if plain else text, place, plain)

    def _tagged(self, tag: str, text: str, place: Place) -> Scalar:
        try:
            return self._tags[tag](text)
        except ValueError as error:
            self.complain(place, str(error))
            return None

    def _alias(self, event: AliasEvent, place: Place) -> Node:
        if not self._aliases:
            self.complain(place, "write it out: aliases are not allowed")
            return Node(None, place)
        if event.anchor not in self._anchors:
            self.complain(place, f"*{event.anchor} names no anchor &{event.anchor} before it, or one around it")
            return Node(None, place)
        node, size = self._anchors[event.anchor]
        self._count += size
        return node

    def _mapping(self, depth: int) -> Mapping[str, Node]:
        fields: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            place = self._place(event)
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            if key == _MERGE and isinstance(event, ScalarEvent) and not event.style:
                merged += value.items or (value,)
            elif key is not None and key in fields:
                self.complain(place, f"“{key}” is there twice, first in line {fields[key].place.line}; keep one")
            elif key is not None:
                fields[key] = Node(value.value, place, value.plain)
        for node in merged:
            if not isinstance(node.value, Mapping):
                self.complain(node.place, "<< takes a mapping, such as *name of one")
            fields = {**fields, **{key: value for key, value in node.fields.items() if key not in fields}}
        return fields

    def _key(self, event: Event, depth: int) -> str | None:
        node = self._node(event, depth + 1)
        if isinstance(event, ScalarEvent) and (event.value or not node.plain):
            return str(event.value)
        self.complain(self._place(event), "has a key that is no text; keys are names")
        return None


def _place(mark: Any, file: str) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file, 1)


def _within(text: str, place: Place) -> Place:
    """Return the place, or the end of the text where the parser names a line after it."""
    lines = text.split("\n")
    return place if place.line <= len(lines) else Place(place.file, len(lines), len(lines[-1]) + 1)


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(str(character)[0])


# Writing

_NEVER_FOLDED = 2**30
_ODD_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""Line breaks to YAML 1.1 and text to YAML 1.2, and what some take for a mark: always written as escapes."""


def write_yaml(value: Any) -> str:
    """Return the value as YAML that people like to read, and that means the same to YAML 1.1 and 1.2."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLDED, indent=2)


class _Dumper(yaml.SafeDumper):
    """Lists stand below their key, further in; nothing is an alias; lines of text are lines."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    lines = text.removesuffix("\n")
    if set(text) & _ODD_BREAKS:
        style = '"'
    elif "\n" in lines and lines.strip() == lines.strip(" ") and "\t" not in text:
        style = "|"
    elif not isinstance(plain_value(text), str) or _reads_better_in_double_quotes(dumper, text):
        style = '"'
    return dumper.represent_scalar(f"{_CORE}str", text, style=style)


def _reads_better_in_double_quotes(dumper: yaml.SafeDumper, text: str) -> bool:
    """Tell whether it needs quotes and holds single ones; the emitter escapes what is beyond the basic plane."""
    harmless = "'" in text and not set(text) & {'"', "\\"} and text.isprintable() and max(text) < "\ud800"
    return harmless and not dumper.analyze_scalar(text).allow_block_plain


_Dumper.add_representer(str, _text)
