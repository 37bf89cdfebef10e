"""Kinds of fields that many component types share, with the bounds that keep a message within Discord's limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Template = Annotated[str, Field(max_length=4_000)]
"""A Jinja2 template. What it prints is limited where it is rendered."""

Title = Annotated[str, Field(max_length=500)]
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
