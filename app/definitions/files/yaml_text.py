"""Reads YAML text into nodes. Nothing in a file can make an object, or more of itself than a limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

from app.definitions.files.nodes import Node
from app.definitions.files.problems import ConfigurationError, Place, Problem
from app.definitions.files.scalars import plain_value

DEEPEST = 60
MOST_VALUES = 500_000
"""Values in one file, aliases counted as what they stand for."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset({None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))})
_TEXT_TAGS = frozenset({"!", f"{_CORE}str"})
_MERGE = "<<"


def read_yaml(text: str, file: str) -> Node:
    """What the text says; nothing is an empty mapping. Raises ConfigurationError with every problem of the text."""
    composer = _Composer(text, file)
    try:
        node = composer.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.problem, error.context) if part)
        composer.complain((mark.line if mark else 0) + 1, f"is no YAML: {what or 'it cannot be read'}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(0, error.position)) + 1
        composer.complain(line, f"holds a character that YAML does not allow (U+{_code(error.character):04X})")
    except _TooMuchError as error:
        composer.complain(error.line, str(error))
    if composer.problems:
        raise ConfigurationError(composer.problems)
    return node


class _TooMuchError(Exception):
    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


class _Composer:
    """Makes nodes of the parser's events: iterating, so that no depth of nesting can overflow the C parser's stack."""

    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._events: Iterator[Event] = yaml.parse(text, Loader=_LOADER)
        self._file = file
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def complain(self, line: int, message: str) -> None:
        self.problems.append(Problem(Place(self._file, line), message))

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
                        self.complain(_line(event), "starts a second document (---); put it into a file of its own")
                        return node
                case _:
                    node = self._node(event, 0)
        return node

    def _node(self, event: Event, depth: int) -> Node:
        place = Place(self._file, _line(event))
        self._count += 1
        if self._count > MOST_VALUES:
            raise _TooMuchError(place.line, f"holds more than {MOST_VALUES:,} values; split it into several files")
        if depth > DEEPEST:
            raise _TooMuchError(place.line, f"is nested deeper than {DEEPEST} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event, place)
        before = self._count
        tag = getattr(event, "tag", None)
        if tag not in _TAGS:
            self.complain(place.line, f"has the tag {tag}, which is not known here; leave it out")
        node = self._value(event, place, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = (node, self._count - before)
        return node

    def _value(self, event: Event, place: Place, depth: int) -> Node:
        if isinstance(event, MappingStartEvent):
            return Node(self._mapping(depth), place)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self._events), SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Node(tuple(items), place)
        assert isinstance(event, ScalarEvent)  # noqa: S101  # the parser gives nothing else here
        text = str(event.value)
        plain = not event.style and event.tag not in _TEXT_TAGS
        return Node(plain_value(text) if plain else text, place, plain)

    def _alias(self, event: AliasEvent, place: Place) -> Node:
        if event.anchor not in self._anchors:
            self.complain(place.line, f"*{event.anchor} names no anchor &{event.anchor} before it, or one around it")
            return Node(None, place)
        node, size = self._anchors[event.anchor]
        self._count += size
        return node

    def _mapping(self, depth: int) -> Mapping[str, Node]:
        fields: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            line = _line(event)
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            if key == _MERGE and isinstance(event, ScalarEvent) and not event.style:
                merged += value.items or (value,)
            elif key is not None and key in fields:
                first = fields[key].place.line
                self.complain(line, f"“{key}” is there twice, first in line {first}; keep one")
            elif key is not None:
                fields[key] = Node(value.value, Place(self._file, line), value.plain)
        for node in merged:
            if not isinstance(node.value, Mapping):
                self.complain(node.place.line, "<< takes a mapping, such as *name of one")
            fields = {**fields, **{key: value for key, value in node.fields.items() if key not in fields}}
        return fields

    def _key(self, event: Event, depth: int) -> str | None:
        node = self._node(event, depth + 1)
        if isinstance(event, ScalarEvent) and (event.value or not node.plain):
            return str(event.value)
        self.complain(_line(event), "has a key that is no text; keys are names")
        return None


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(str(character)[0])
