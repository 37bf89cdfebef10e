"""Value mappings: a word, an emoji or a colour in the place of a value, as in Grafana."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.components.component import RenderContext
from app.bot.domain.formatting.markdown import SafeText, escape_markdown, one_line
from app.bot.domain.patterns import PATTERN_LIMIT, pattern_problem
from app.bot.domain.readings.items import as_number, equal_values, plain_text
from app.bot.domain.readings.thresholds import Level


def _pattern(pattern: str) -> str:
    problem = pattern_problem(pattern)
    if problem is not None:
        raise ValueError(problem)
    return pattern


class ValueMapping(BaseModel):
    """What is shown for certain values: those equal to one, in a range, matching an expression, or missing."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: bool | float | Annotated[str, Field(max_length=200)] | None = Field(
        None, description="For this value: a number, a text (upper and lower case alike), true or false"
    )
    from_: float | None = Field(None, alias="from", description="Or: for numbers from this one on")
    to: float | None = Field(None, description="Or: for numbers up to this one; with from, for those between")
    regex: Annotated[str, AfterValidator(_pattern)] = Field(
        "",
        max_length=PATTERN_LIMIT,
        description="Or: for values whose text this regular expression finds something in",
    )
    missing: bool = Field(False, description="Or: for a value that is missing")
    text: str = Field("", max_length=60, description="Shown instead of the value; empty shows the value itself")
    emoji: Emoji = Field("", description="An emoji in front, such as 💤; empty for none")
    level: Level | None = Field(None, description="Colour of the dot in front: ok, warning, critical or missing")

    @model_validator(mode="after")
    def _one_condition_and_something_to_show(self) -> ValueMapping:
        ranged = self.from_ is not None or self.to is not None
        conditions = (self.value is not None, ranged, bool(self.regex), self.missing)
        if sum(conditions) != 1:
            raise ValueError("fill in one of value, from and to, regex, missing")
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise ValueError("to must not be less than from")
        if not self.text.strip() and not self.emoji and self.level is None:
            raise ValueError("nothing is to be shown: fill in text, emoji or level")
        return self

    @cached_property
    def text_shown(self) -> SafeText:
        """The text, escaped; empty where the value itself is shown."""
        return escape_markdown(one_line(self.text))

    @cached_property
    def mark(self) -> str:
        """The emoji, or else the dot in the level's colour, with a space; nothing where there is neither."""
        mark = self.emoji or (self.level.mark if self.level is not None else "")
        return f"{mark} " if mark else ""

    @cached_property
    def plain_mark(self) -> str:
        """The mark for monospaced text, where Discord draws no emoji of servers."""
        return "" if self.emoji.startswith("<") else self.mark

    def matches(self, value: Any, context: RenderContext) -> bool:
        """Whether it is meant for a value of a metric or item. Raises TemplateFailedError when no time is left."""
        if value is None or value == "":
            return self.missing
        if self.value is not None:
            return equal_values(value, self.value)
        if self.regex:
            return context.is_found(self.regex, plain_text(value))
        number = as_number(value)
        if self.missing or number is None:
            return False
        return (self.from_ is None or number >= self.from_) and (self.to is None or number <= self.to)


Mappings = Annotated[list[ValueMapping], Field(max_length=30)]
"""Value mappings; the first one that is meant for a value counts."""


def find_mapping(mappings: Sequence[ValueMapping], value: Any, context: RenderContext) -> ValueMapping | None:
    """Return the first mapping that is meant for a value. Raises TemplateFailedError when no time is left."""
    return next((mapping for mapping in mappings if mapping.matches(value, context)), None)
