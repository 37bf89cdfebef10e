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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.bot.domain.blocks import Block
from app.bot.domain.custom_id import custom_id_text
from app.bot.domain.errors import InvalidConfigError, TemplateFailedError, UnknownMetricError
from app.bot.domain.markdown import unescape_markdown
from app.bot.domain.readings import Metric, Reading, Readings, Status
from app.bot.domain.registry import Registry
from app.bot.domain.templates import Templates

_TEMPLATE_SOURCE = re.compile(r"""\b(?:metric|status|message|items)\(\s*["']([^"']+)["']""")
"""A data source that a template reads; one whose name is computed is not found, which only spares it a refresh."""

ConfigModel = TypeVar("ConfigModel", bound=BaseModel)


@dataclass(slots=True, eq=False)
class RenderContext:
    """All that a component may know while it renders: nothing here waits, writes or reaches out.

    One context serves a whole dashboard; `component_id` is the component that renders now. `page` is the page that the
    message shows; `statuses` collects how the sources that were read are, for the frame.
    """

    now: datetime
    readings: Readings
    templates: Templates
    dashboard: Mapping[str, Any] = field(default_factory=dict)
    component_id: int = 0
    page: str | None = None
    statuses: list[Status] = field(default_factory=list)
    _names: dict[str, Any] = field(init=False, repr=False)
    """What every template of the dashboard knows."""

    def __post_init__(self) -> None:
        self._names = {
            "dashboard": self.dashboard,
            "now": self.now,
            "metric": self._metric_of_template,
            "status": self._status_of_template,
            "message": self._message_of_template,
            "items": self._items_of_template,
        }

    def reading(self, source: str) -> Reading:
        """The newest reading of a source. Raises UnknownSourceError."""
        reading = self.readings.latest(source)
        self.statuses.append(reading.status)
        return reading

    def metric(self, reference: MetricReference) -> Metric:
        """The referenced metric of the newest reading; its value is None while the source gives none.

        Raises UnknownSourceError, and UnknownMetricError when the source is up but has no such metric.
        """
        return self._metric(reference.source, reference.metric, reference.labels)

    def _metric(self, source: str, name: str, labels: Mapping[str, str]) -> Metric:
        reading = self.readings.latest(source)
        self.statuses.append(reading.status)
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
        """The referenced metric's last values, oldest first. Raises UnknownSourceError."""
        return self.readings.recent(reference.source, reference.metric, reference.labels)

    def text(self, template: str, **values: Any) -> str:
        """Render a Jinja2 template with the dashboard, the readings and `values`. Raises TemplateFailedError."""
        try:
            return self.templates.render(template, self._names | values if values else self._names)
        except TemplateFailedError:
            raise
        except Exception as error:  # a user's template can raise anything; it is named here, once
            raise TemplateFailedError(f"Template: {error}") from error

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
        """The custom_id that brings a click on this component back with its verb and argument."""
        return custom_id_text(self.component_id, verb, argument)


class Component(BaseModel):
    """Base of every component type. Fields are the config; the class docstring is what the admin shows."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @abstractmethod
    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """The blocks that show this component now. Pure: the same context gives the same blocks."""

    def sources(self) -> frozenset[str]:
        """Names of the data sources that the config mentions, found in its fields."""
        return frozenset(_mentioned_sources(self))


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


def _mentioned_sources(value: object) -> set[str]:
    """Every `source` field in a model and what it contains, and the sources that its templates read."""
    if isinstance(value, str):
        return set(_TEMPLATE_SOURCE.findall(value)) if "{" in value else set()
    if isinstance(value, BaseModel):
        source = getattr(value, "source", None)
        found = {source} if isinstance(source, str) and source else set()
        for name in type(value).model_fields:
            found |= _mentioned_sources(getattr(value, name))
        return found
    if isinstance(value, (list, tuple)):
        return {source for item in value for source in _mentioned_sources(item)}
    return set()


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
"""Every component type by its name; filled when `app.bot.domain.components` is imported."""
