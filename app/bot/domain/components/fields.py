"""Kinds of fields that many component types share, with the bounds that keep a message within Discord's limits."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field


class Scope(StrEnum):
    """For whom a choice counts."""

    SHARED = "shared"
    PERSONAL = "personal"


class TemplateMark:
    """Marks a field that holds Jinja2: what a `${...}` placeholder puts into it is escaped, never run."""


class ConditionMark:
    """Marks a field that holds a condition in CEL."""


TemplateText = Annotated[str, TemplateMark()]
"""A Jinja2 template whose length its field limits."""

Template = Annotated[TemplateText, Field(max_length=4_000)]
"""A Jinja2 template. What it prints is limited where it is rendered."""

Title = Annotated[TemplateText, Field(max_length=500)]
"""A Jinja2 template of one line, which is cut after TITLE_LIMIT characters when shown."""

Label = Annotated[str, Field(max_length=80)]
"""A name as it stands, no template and no Markdown."""

UnitName = Annotated[str, Field(max_length=20)]
"""A unit of domain.units, or any other text to write behind the number."""

Decimals = Annotated[int, Field(ge=0, le=6)]
"""Digits behind the decimal point."""

Bound = Annotated[float, Field(ge=-1e15, le=1e15)]
"""An end of a scale; the bounds keep the difference of two ends finite."""

FieldPath = Annotated[str, Field(min_length=1, max_length=100)]
"""Where a value stands in an item, such as `state` or `network.address`."""


Condition = Annotated[str, ConditionMark(), Field(max_length=2_000)]
"""A condition in CEL; empty is always true."""


def marked_fields(model: type[BaseModel], mark: type[TemplateMark | ConditionMark]) -> frozenset[str]:
    """Names of the fields of a config, at any depth, that hold Jinja2, or CEL."""
    return frozenset(_marked_fields(model, mark, set()))


def _marked_fields(
    model: type[BaseModel], mark: type[TemplateMark | ConditionMark], seen: set[type[BaseModel]]
) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        if any(isinstance(part, mark) for part in (*field.metadata, *_metadata(field.annotation))):
            yield field.alias or name
        for part in type_parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _marked_fields(part, mark, seen)


def type_parts(annotation: Any) -> Iterator[Any]:
    """Yield a type and every type it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from type_parts(part)


def _metadata(annotation: Any) -> Iterator[Any]:
    """Yield what Annotated says of the types that a type is made of."""
    for part in type_parts(annotation):
        yield from getattr(part, "__metadata__", ())
