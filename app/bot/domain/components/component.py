"""What a component type is: a pydantic model of its config that renders itself to blocks.

A new type is one file in `components/`, and nothing else changes:

    @component_types.register("heading")
    class Heading(Component):
        \"""A large line of text.\"""

        text: str

        def render(self, context: RenderContext) -> tuple[Block, ...]:
            return (Text(f"## {context.text(self.text)}"),)
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import thread_time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block, Problem
from app.bot.domain.blocks.custom_id import custom_id_text
from app.bot.domain.charts.chart import ChartRequest, Charts, NoCharts, Picture
from app.bot.domain.components.expressions import Expressions, NoExpressions
from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.domain.components.templates import Templates
from app.bot.domain.errors import (
    ExpressionFailedError,
    InvalidConfigError,
    NestingError,
    TemplateFailedError,
    TooManyNestedError,
    UnknownMetricError,
)
from app.bot.domain.faults import reason_of
from app.bot.domain.formatting.markdown import escape_markdown, unescape_markdown
from app.bot.domain.formatting.regions import Region
from app.bot.domain.patterns import is_found
from app.bot.domain.readings.history import Histories, History, HistoryQuery, NoHistories
from app.bot.domain.readings.reading import Metric, Reading, Readings, Status
from app.bot.domain.registry import Registry

if TYPE_CHECKING:
    from app.bot.domain.components.variables import ResolvedVariable

_TEMPLATE_SOURCE = re.compile(r"""\b(?:metric|status|message|items)\(\s*["']([^"']+)["']""")
"""A data source that a template reads; one whose name is computed is not found, which only spares it a refresh."""

_CONDITIONS = ("visible_when", "where")
"""Fields that hold CEL."""

ConfigModel = TypeVar("ConfigModel", bound=BaseModel)

MAX_NESTING = 8
"""Levels of components within components; deeper ones are a mistake, or never end."""


MAX_NESTED = 400
"""Components within one component, through all levels; a message shows 40 at most."""

MAX_NESTED_SECONDS = 0.035
"""Computing time of all components within one, looked at before each: with the longest of them under 50 ms."""

MAX_TEMPLATE_SECONDS = 0.03
"""Computing time of all templates of one component: with the longest single one (TemplateLimits) under 50 ms."""


class Components(Protocol):
    """Makes components by type."""

    def make(self, type_name: str, config: Mapping[str, Any]) -> Component:
        """Return a component of a builtin or a component template. Raises UnknownTypeError or InvalidConfigError."""
        ...

    def template_fields(self, type_name: str) -> frozenset[str]:
        """Names of the fields, at any depth of the type's config, that hold Jinja2; none for an unknown type."""
        ...


@dataclass(slots=True, eq=False)
class RenderContext:
    """All that a component may know while it renders: nothing here waits, writes or reaches out.

    One context serves a whole dashboard; `component_id` is the component that renders now. `page` is the page that the
    message shows; `statuses` collects how the sources that were read are, for the frame, `problems` what went wrong in
    nested components. `pending` says that something was not there yet and is being fetched. `sources_read` and
    `types_used` collect the names of all data sources and component types that what is shown depends on.
    """

    now: datetime
    readings: Readings
    templates: Templates
    dashboard: Mapping[str, Any] = field(default_factory=dict)
    component_id: int = 0
    page: str | None = None
    statuses: list[Status] = field(default_factory=list)
    components: Components | None = None
    expressions: Expressions = field(default_factory=NoExpressions)
    histories: Histories = field(default_factory=NoHistories)
    charts: Charts = field(default_factory=NoCharts)
    region: Region = field(default_factory=Region)
    variables: Mapping[str, Any] = field(default_factory=dict)
    resolved: Mapping[str, ResolvedVariable] = field(default_factory=dict)
    """The variables with their options and what is chosen."""
    problems: list[Problem] = field(default_factory=list)
    sources_read: set[str] = field(default_factory=set)
    types_used: set[str] = field(default_factory=set)
    pending: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    """What surrounds a nested component: `params` of its component template, the `item` of a repetition."""
    _names: dict[str, Any] = field(init=False, repr=False)
    """What every template of the dashboard knows."""
    _depth: int = field(init=False, default=0, repr=False)
    _charts_asked: int = field(init=False, default=0, repr=False)
    _spent: float = field(init=False, default=0.0, repr=False)
    _nested: int = field(init=False, default=0, repr=False)
    _nested_since: float = field(init=False, default=0.0, repr=False)
    custom_ids: set[str] = field(init=False, default_factory=set, repr=False)
    """Those of nested components so far: Discord takes each only once in a message."""

    def __post_init__(self) -> None:
        self._names = {
            "dashboard": self.dashboard,
            "now": self.now,
            "variables": self.variables,
            "metric": self._metric_of_template,
            "status": self._status_of_template,
            "message": self._message_of_template,
            "items": self._items_of_template,
        }

    def reading(self, source: str) -> Reading:
        """Return the newest reading of a source. Raises UnknownSourceError."""
        self.sources_read.add(source)
        reading = self.readings.latest(source)
        self.statuses.append(reading.status)
        return reading

    def metric(self, reference: MetricReference) -> Metric:
        """Return the referenced metric of the newest reading; its value is None while the source gives none.

        Raises UnknownSourceError, and UnknownMetricError when the source is up but has no such metric.
        """
        return self._metric(reference.source, reference.metric, reference.labels)

    def _metric(self, source: str, name: str, labels: Mapping[str, str]) -> Metric:
        reading = self.reading(source)
        metric = reading.metric(name, labels)
        if metric is not None:
            return metric
        if reading.metrics and reading.status is Status.UP:
            raise _unknown_metric(source, name, labels, reading)
        return Metric(name, None)

    def metrics(self, reference: MetricReference) -> tuple[Metric, ...]:
        """Every metric of that name and those labels, as the source gives them; none while the source gives nothing.

        Raises UnknownSourceError, and UnknownMetricError when the source is up but has no such metric.
        """
        reading = self.reading(reference.source)
        found = tuple(metric for metric in reading.metrics if metric.matches(reference.metric, reference.labels))
        if not found and reading.metrics and reading.status is Status.UP:
            raise _unknown_metric(reference.source, reference.metric, reference.labels, reading)
        return found

    def recent(self, reference: MetricReference) -> Sequence[float | None]:
        """Return the referenced metric's last values, oldest first. Raises UnknownSourceError."""
        self.sources_read.add(reference.source)
        return self.readings.recent(reference.source, reference.metric, reference.labels)

    def history(self, query: HistoryQuery) -> History | None:
        """Return the past of a metric; None while it is being loaded. Raises UnknownSourceError."""
        self.sources_read.add(query.source)
        found = self.histories.find(query, self._dashboard_id)
        self.pending |= found is None
        return found

    def picture(self, request: ChartRequest) -> Picture | None:
        """Return the chart as a picture; None while the first one is being drawn. Raises ChartFailedError."""
        self._charts_asked += 1  # charts are asked for in the same order every time, so the order names the place
        shown = f"{self.page or ''}?{hash(repr(self.variables))}" if self.variables else self.page or ""
        slot = f"{self._dashboard_id}/{shown}/{self.component_id}/{self._charts_asked}"
        found = self.charts.find(request, slot, self._dashboard_id)
        self.pending |= found is None
        return found

    @property
    def _dashboard_id(self) -> int:
        return int(self.dashboard.get("id", 0))

    def test(self, expression: str, **values: Any) -> bool:
        """Whether a condition in CEL holds. Raises ExpressionFailedError for one that is wrong or gives no truth."""
        result = self.evaluate(expression, **values)
        if not isinstance(result, bool):
            raise ExpressionFailedError(f"Condition “{expression[:80]}”: gives no yes or no. Compare with ==, < or >.")
        return result

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Return the value of a CEL expression. Raises ExpressionFailedError."""
        names = {
            **self.values,
            **values,
            "dashboard": self.dashboard,
            "variables": self.variables,
            "metric": self._number_of_expression,
            "status": self._status_of_template,
            "items": self._items_of_template,
        }
        started = thread_time()
        try:
            return self.expressions.evaluate(expression, names)
        except Exception as error:  # a user's expression can raise anything; it is named here, once
            raise ExpressionFailedError(f"Condition “{expression[:80]}”: {error}") from error
        finally:
            self._spend(thread_time() - started)

    def is_found(self, pattern: str, text: str) -> bool:
        """Whether a checked regular expression finds something. Raises TemplateFailedError when no time is left."""
        started = thread_time()
        try:
            return is_found(pattern, text)
        finally:
            self._spend(thread_time() - started)

    def _number_of_expression(self, source: str, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        return self._metric(str(source), str(name), dict(labels or {})).value

    def make(self, type_name: str, config: Mapping[str, Any]) -> Component:
        """Return a component to nest in another one. Raises UnknownTypeError, InvalidConfigError or NestingError."""
        self.types_used.add(type_name)
        if self.components is None:
            raise NestingError("Components cannot be nested here.")
        return self.components.make(type_name, config)

    def filled(self, type_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the config of a component of this type with its placeholders replaced. Raises InvalidConfigError."""
        templates = self.components.template_fields(type_name) if self.components is not None else frozenset()
        names = {"dashboard": self.dashboard, "variables": self.variables, **self.values}
        filled: dict[str, Any] = fill_placeholders(config, names, templates)
        return filled

    @contextmanager
    def nested(self, values: Mapping[str, Any]) -> Iterator[None]:
        """One level deeper, where templates and conditions know `values` too. Raises NestingError when too deep."""
        if self._depth >= MAX_NESTING:
            raise NestingError(
                f"Components are nested more than {MAX_NESTING} levels deep, or a component template contains itself."
            )
        outer, names = self.values, self._names
        self._depth += 1
        if values:
            self.values = {**outer, **values}
            self._names = {**names, **values}
        try:
            yield
        finally:
            self._depth -= 1
            self.values, self._names = outer, names

    @property
    def is_nested(self) -> bool:
        """Whether a component within another one renders now."""
        return self._depth > 0

    def count_nested(self) -> None:
        """Count one more component within the one of the row. Raises TooManyNestedError."""
        if self._nested == 0:
            self._nested_since = thread_time()
        self._nested += 1
        if self._nested > MAX_NESTED:
            raise TooManyNestedError(
                f"It consists of more than {MAX_NESTED} components. Repeat over less, or nest less."
            )
        if thread_time() - self._nested_since > MAX_NESTED_SECONDS:
            raise TooManyNestedError(
                f"The components within it together take more than {MAX_NESTED_SECONDS * 1000:.0f} ms. "
                "Repeat over less, or spread it over several components."
            )

    def problem(self, title: str, error: Exception) -> Problem:
        """Return what stands in the place of a component that failed."""
        problem = Problem(escape_markdown(title), escape_markdown(reason_of(error)))
        self.problems.append(problem)
        return problem

    def begin(self, component_id: int) -> None:
        """Begin with the component of the next row, which gets all the time that one component may take."""
        self.component_id = component_id
        self._charts_asked = 0
        self._spent = 0.0
        self._nested = 0

    def text(self, template: str, **values: Any) -> str:
        """Render a Jinja2 template with the dashboard, the readings and `values`. Raises TemplateFailedError."""
        if "{" not in template:
            return template
        started = thread_time()
        try:
            return self.templates.render(template, self._names | values if values else self._names)
        except TemplateFailedError:
            raise
        except Exception as error:  # a user's template can raise anything; it is named here, once
            raise TemplateFailedError(f"Template: {error}") from error
        finally:
            self._spend(thread_time() - started)

    def _spend(self, seconds: float) -> None:
        """Count the computing time of a component's templates, conditions and patterns.

        Raises TemplateFailedError at its end.
        """
        self._spent += seconds
        if self._spent > MAX_TEMPLATE_SECONDS:
            raise TemplateFailedError(
                "The templates, conditions and regular expressions of this component together take more than "
                f"{MAX_TEMPLATE_SECONDS * 1000:.0f} ms. Show less, or spread it over several components."
            )

    def _metric_of_template(self, source: str, name: str, **labels: Any) -> Metric:
        return self._metric(str(source), str(name), {label: str(value) for label, value in labels.items()})

    def _status_of_template(self, source: str) -> str:
        return self.reading(source).status.value

    def _message_of_template(self, source: str) -> str:
        return self.reading(source).message

    def _items_of_template(self, source: str, name: str) -> list[Mapping[str, Any]]:
        return list(self.reading(source).items.get(name, ()))

    def plain(self, template: str, **values: Any) -> str:
        """Like `text`, for places that show text as it is: an address, a label, a code block."""
        return unescape_markdown(self.text(template, **values))

    def custom_id(self, verb: str, argument: str = "") -> str:
        """Return the custom_id that brings a click on this component back with its verb and argument."""
        return custom_id_text(self.component_id, verb, argument)


class Component(BaseModel):
    """Base of every component type. Fields are the config; the class docstring is what the admin shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @abstractmethod
    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the blocks that show this component now. Pure: the same context gives the same blocks."""

    def calls(self, _context: RenderContext) -> Iterable[ButtonCall]:
        """Return the actions behind its buttons and choices now, from the config alone; most types have none."""
        return ()

    def sources(self) -> frozenset[str]:
        """Names of the data sources that the config mentions, found in its fields."""
        return mentioned_sources(self)


class MetricReference(BaseModel):
    """Points to one metric of one data source."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: str = Field(min_length=1, description="Name of the data source")
    metric: str = Field(min_length=1, description="Name of the metric, such as cpu.percent")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels that tell metrics of one name apart, such as mount: /"
    )

    def __str__(self) -> str:
        return _metric_text(self.metric, self.labels)


def _metric_text(name: str, labels: Mapping[str, str]) -> str:
    chosen = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return f"{name}{{{chosen}}}" if chosen else name


def _unknown_metric(source: str, name: str, labels: Mapping[str, str], reading: Reading) -> UnknownMetricError:
    known = ", ".join(sorted({metric.name for metric in reading.metrics})[:20])
    return UnknownMetricError(f"“{source}” has no metric “{_metric_text(name, labels)}”. It has: {known}")


def mentioned_sources(value: object) -> frozenset[str]:
    """Every `source` field in a config or what it contains, and the sources that its templates and conditions read."""
    return frozenset(_mentioned_sources(value, ""))


def _mentioned_sources(value: object, field_name: str) -> Iterator[str]:
    if isinstance(value, str):
        if "{" in value or field_name in _CONDITIONS:
            yield from _TEMPLATE_SOURCE.findall(value)
        if field_name == "source" and value and "${" not in value:
            yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _mentioned_sources(getattr(value, name), name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _mentioned_sources(item, field_name)
    elif isinstance(value, dict):  # the config of a nested component
        for name, item in value.items():
            yield from _mentioned_sources(item, str(name))


def parse_config(model: type[ConfigModel], config: Mapping[str, Any], what: str) -> ConfigModel:
    """Validate a row's config by its type's model. Raises InvalidConfigError, which names each wrong field."""
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        problems = "; ".join(describe_validation_error(problem) for problem in error.errors())
        raise InvalidConfigError(f"{what}: {problems}") from error


def describe_validation_error(problem: Mapping[str, Any]) -> str:
    """One pydantic error as “field: what is wrong”. The rejected value is left out: it may be a secret."""
    place = ".".join(str(part) for part in problem["loc"]) or "config"
    if problem["type"] == "extra_forbidden":
        return f"{place}: no such setting"
    return f"{place}: {str(problem['msg']).removeprefix('Value error, ')}"


component_types: Registry[type[Component]] = Registry("component type")
"""Every component type by its name; filled when `app.bot.domain.components.types` is imported."""
