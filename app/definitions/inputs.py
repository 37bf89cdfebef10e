"""What the fields of input models have in common: names, ids, texts. Each kind has its model in its own file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

MAX_ID = 2**63 - 1
MAX_INTEGER = 2**31 - 1


def _snowflake(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip()):
        return int(value)
    return value


def _one_line(text: str) -> str:
    if any(ord(letter) < 32 for letter in text):
        raise ValueError("must be a single line")
    return text


def without(problem: Callable[[str], str | None]) -> Callable[[str], str]:
    """Return a validator that refuses texts with a problem."""

    def check(text: str) -> str:
        found = problem(text)
        if found is not None:
            raise ValueError(found)
        return text

    return check


SnowflakeId = Annotated[
    int,
    Field(gt=0, le=MAX_ID),
    BeforeValidator(_snowflake),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["1300000000000000001"]}),
]
"""An id of Discord's. In JSON it is text, as in Discord's own API: JavaScript's numbers are too small for it."""
RowId = Annotated[int, Field(gt=0, le=MAX_ID)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)]
KeyName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.\-]{1,64}$")]
"""A name that other definitions refer to."""
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_one_line)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Config = dict[str, Any]


class Input(BaseModel):
    """Base of all input models: refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
