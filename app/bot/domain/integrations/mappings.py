"""What an integration takes out of its answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.integrations.languages import Expression, Path, Pattern
from app.bot.domain.readings.reading import MetricKind


class IntegrationMetric(BaseModel):
    """A number, or one for each entry of a list: by JMESPath (`path`) or CEL (`expression`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    path: Path | None = Field(None, description="JMESPath over the answers by request, or within an entry")
    expression: Expression | None = Field(None, description="CEL over metrics, answers, params and item")
    for_each: Path | None = Field(None, description="JMESPath to a list: one metric for each entry")
    label_paths: dict[str, Path] = Field(default_factory=dict, description="Labels, each with a JMESPath in an entry")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that are always the same")
    values: dict[str, float] = Field(default_factory=dict, description="Texts and the numbers that they stand for")
    parse: Literal["number", "age", "until", "duration"] = Field(
        "number",
        description="number; age and until: seconds since or until a time (ISO 8601, or seconds of the epoch); "
        "duration: such as 1:02:03, 2 days, 1:02:03 or PT1H2M",
    )
    pattern: Pattern | None = Field(None, description="Regular expression for a text; its group is the number")
    scale: float = Field(1.0, description="The number is multiplied by this")
    unit: str = Field("", max_length=30)
    kind: MetricKind = MetricKind.GAUGE

    @model_validator(mode="after")
    def _one_way(self) -> IntegrationMetric:
        if (self.path is None) == (self.expression is None):
            raise ValueError("path or expression is needed, and only one of them")
        if self.label_paths and self.for_each is None:
            raise ValueError("label_paths needs for_each: labels are taken from the entries of a list")
        return self


class IntegrationTable(BaseModel):
    """A table of items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    path: Path = Field(description="JMESPath over the answers by request, to a list")
    fields: dict[str, Path] = Field(
        default_factory=dict, description="Columns, each with a JMESPath within a row; empty takes rows as they are"
    )
    expressions: dict[str, Expression] = Field(
        default_factory=dict, description="More columns, each in CEL: item is the row as it came"
    )
