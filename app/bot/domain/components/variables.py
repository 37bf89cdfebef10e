"""Variables of a dashboard: values that its readers choose, for all or each for themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.components.fields import Condition, Label
from app.bot.domain.components.placeholders import fill_placeholders, placeholders_in
from app.bot.domain.formatting.markdown import one_line
from app.bot.domain.readings.items import plain_text, value_at
from app.bot.domain.readings.reading import MAX_ITEMS

if TYPE_CHECKING:
    from app.bot.domain.blocks.block import Problem
    from app.bot.domain.components.component import RenderContext

ALL = "*"
"""Stands for all options, in what is chosen and in what is stored."""

MAX_OPTIONS = 100
VALUE_LIMIT = 100
"""Characters of a value that can be chosen, Discord's limit for an option of a select."""

Scalar = bool | int | float | Annotated[str, Field(max_length=VALUE_LIMIT)]
Choices = Mapping[str, Sequence[str]]
"""What was chosen: the texts of the values, by the variable's name."""
NOTHING_CHOSEN: Choices = MappingProxyType({})


class VariableType(StrEnum):
    """Where a variable's values come from."""

    CONSTANT = "constant"
    LIST = "list"
    QUERY = "query"


class ListedValue(BaseModel):
    """A value of a list with a name of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: Scalar = Field(description="The value")
    label: Label = Field("", description="Name to show; empty shows the value")


class Variable(BaseModel):
    """A variable: known as ${variables.name} in settings, and as variables.name in templates and conditions."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$", description="Small letters, digits and _")
    label: Label = Field("", description="Name to show; empty shows the name")
    type: VariableType = Field(
        VariableType.LIST, description="constant (one value), list (fixed ones), or query (what a data source gives)"
    )
    value: Any = Field(None, description="The value of a constant: any JSON")
    values: list[Scalar | ListedValue] = Field(
        default_factory=list, max_length=MAX_OPTIONS, description="The values of a list"
    )
    source: str = Field("", max_length=200, description="For a query: the data source")
    items: str = Field("", max_length=100, description="Name of the source's list of items, such as containers")
    value_field: str = Field("name", max_length=100, description="Field of an item that holds the value")
    label_field: str = Field("", max_length=100, description="Field that holds the name to show; empty: the value")
    where: Condition = Field("", description="A CEL condition on each item, such as item.state == 'running'")
    metric: str = Field("", max_length=200, description="Or: a metric of the source")
    metric_label: str = Field("", max_length=100, description="The label of the metric that holds the value")
    default: Scalar | None = Field(None, description="Chosen at first; empty: all, where possible, or the first")
    all_option: bool = Field(False, description="Offer “All”: the variable is then the list of all values")
    multi: bool = Field(False, description="Several may be chosen: the variable is then a list")

    @model_validator(mode="after")
    def _complete(self) -> Variable:
        queried = bool(self.source or self.items or self.metric)
        match self.type:
            case VariableType.CONSTANT if self.value is None or self.values or queried:
                raise ValueError("value is needed for a constant, and neither values nor a source")
            case VariableType.LIST if not self.values or self.value is not None or queried:
                raise ValueError("values are needed for a list, and neither value nor a source")
            case VariableType.QUERY if not self.source or self.value is not None or self.values:
                raise ValueError("source is needed for a query, and neither value nor values")
            case VariableType.QUERY if bool(self.items) == bool(self.metric and self.metric_label):
                raise ValueError("items is needed for a query, or metric with metric_label")
        return self

    @property
    def title(self) -> str:
        """The name to show."""
        return self.label or self.name


MAX_VARIABLES = 20
Variables = Annotated[list[Variable], Field(max_length=MAX_VARIABLES)]
"""Variables in order: each may use those before it."""


@dataclass(frozen=True, slots=True)
class VariableOption:
    """A value that can be chosen. `text` stands for it in selects and in what is stored."""

    text: str
    value: Any
    label: str


@dataclass(frozen=True, slots=True)
class ResolvedVariable:
    """A variable with its options now, the texts of those that are chosen (or ALL), and the value that follows."""

    variable: Variable
    options: tuple[VariableOption, ...] = ()
    chosen: tuple[str, ...] = ()
    value: Any = None


def resolve(variable: Variable, choices: Choices, context: RenderContext) -> ResolvedVariable:
    """Return the variable as it stands. Raises HomelabError for a query that fails.

    What was chosen is dropped where it is no option any more; while a query gives nothing at all (its source is down)
    it stays.
    """
    if variable.type is VariableType.CONSTANT:
        return ResolvedVariable(variable, value=variable.value)
    options = tuple(_options(variable, context))
    known = {option.text: option for option in options}
    wanted = [text for text in choices.get(variable.name, ()) if isinstance(text, str)]
    if variable.all_option and ALL in wanted:
        return _all(variable, options)
    chosen = [text for text in wanted if text in known or not options]
    if not chosen:
        chosen = _default(variable, options)
    if chosen == [ALL]:
        return _all(variable, options)
    if not variable.multi:
        chosen = chosen[:1]
    values = [known[text].value if text in known else text for text in chosen]
    value = values if variable.multi else next(iter(values), None)
    return ResolvedVariable(variable, options, tuple(chosen), value)


def resolve_all(
    variables: Sequence[Variable], choices: Choices, context: RenderContext
) -> Iterator[tuple[ResolvedVariable, Problem | None]]:
    """Each variable in order, with a problem where it failed; what was yielded must be in the context for the next."""
    for variable in variables:
        try:
            yield resolve(variable, choices, context), None
        except Exception as error:  # noqa: BLE001  # the guarded edge of one variable: the dashboard lives
            yield ResolvedVariable(variable), context.problem(f"Variable {variable.title}", error)


def uses_variables(config: Mapping[str, Any]) -> bool:
    """Whether a component's config has placeholders of variables, components nested in it aside."""
    return any(path.partition(".")[0] == "variables" for path in placeholders_in(config))


def _all(variable: Variable, options: tuple[VariableOption, ...]) -> ResolvedVariable:
    return ResolvedVariable(variable, options, (ALL,), [option.value for option in options])


def _default(variable: Variable, options: Sequence[VariableOption]) -> list[str]:
    texts = [option.text for option in options]
    if variable.default is not None:
        default = plain_text(variable.default)
        if default in texts or not texts:
            return [default]
        if default == ALL and variable.all_option:
            return [ALL]
    if variable.all_option:
        return [ALL]
    return texts[:1]


def _options(variable: Variable, context: RenderContext) -> Iterator[VariableOption]:
    """Yield the options that there are now, each value once."""
    seen: set[str] = set()
    for value, label in _values(variable, context):
        text = plain_text(value)
        if not text.strip() or len(text) > VALUE_LIMIT or text in seen or (text == ALL and variable.all_option):
            continue
        seen.add(text)
        yield VariableOption(text, value, one_line(label) or one_line(text) or text)
        if len(seen) == MAX_OPTIONS:
            return


def _values(variable: Variable, context: RenderContext) -> Iterator[tuple[Any, str]]:
    if variable.type is VariableType.LIST:
        for listed in variable.values:
            yield (listed.value, listed.label) if isinstance(listed, ListedValue) else (listed, "")
        return
    names = {"variables": context.variables, "dashboard": context.dashboard}
    source, items, metric = (
        str(fill_placeholders(part, names)) for part in (variable.source, variable.items, variable.metric)
    )
    reading = context.reading(source)
    if variable.metric:
        for found in reading.metrics:
            if found.name == metric and variable.metric_label in found.labels:
                yield found.labels[variable.metric_label], ""
        return
    for item in reading.items.get(items, ())[:MAX_ITEMS]:
        if not variable.where or context.test(variable.where, item=item):
            label = value_at(item, variable.label_field) if variable.label_field else None
            yield value_at(item, variable.value_field), plain_text(label)
