"""An integration: its row, and what the row's definition says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.integrations.authentication import Authentication, JsonRpcAuthentication, NoAuthentication
from app.bot.domain.integrations.connection import Connection
from app.bot.domain.integrations.languages import Expression
from app.bot.domain.integrations.mappings import IntegrationMetric, IntegrationTable
from app.bot.domain.integrations.requests import IntegrationRequest

CONNECTION = "connection"
"""The setting that every source of an integration has besides the parameters of its type."""


@dataclass(frozen=True, slots=True)
class Integration:
    """A row of `data_source_types` of kind integration, as it stands: definition and schema may be wrong."""

    name: str
    title: str = ""
    description: str = ""
    config_schema: Mapping[str, Any] = field(default_factory=dict)
    definition: Any = None
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)


class ReadyComponent(BaseModel):
    """A component that comes with a type; ${source} and ${title} stand for the source's name and title."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(min_length=1)
    config: dict[str, Any] = Field(default_factory=dict)


class SourceDefinition(BaseModel):
    """The `definition` of an integration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    icon: str = Field("", max_length=10, description="One emoji")
    website: str = Field("", max_length=500)
    interval_seconds: float = Field(60, gt=0, le=86_400, description="The interval that is suggested for its sources")
    url: str = Field(min_length=1, max_length=2_000, description="Base address, such as ${params.url}")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of every request")
    auth: Authentication = Field(NoAuthentication(), description="How to log in")
    requests: tuple[IntegrationRequest, ...] = Field(min_length=1, max_length=30)
    metrics: tuple[IntegrationMetric, ...] = Field((), max_length=500)
    items: tuple[IntegrationTable, ...] = Field((), max_length=20)
    status: Expression | None = Field(None, description="CEL that gives true, false, or up, degraded, down, unknown")
    message: Expression | None = Field(None, description="CEL that gives the words for a status that is not up")
    components: tuple[ReadyComponent, ...] = Field((), max_length=10)

    @model_validator(mode="after")
    def _names_fit(self) -> SourceDefinition:
        known: set[str] = set()
        for request in self.requests:
            if request.name in known:
                raise ValueError(f"requests: two are named {request.name}; give each its own name")
            if (request.rpc is not None) != isinstance(self.auth, JsonRpcAuthentication):
                raise ValueError(f"requests.{request.name}: rpc and auth of type json_rpc belong together")
            for path in request_references(request):
                if path.split(".")[0] not in known:
                    raise ValueError(
                        f"requests.{request.name}: ${{answers.{path}}} names no request that comes before it"
                    )
            known.add(request.name)
        return self


def request_references(request: IntegrationRequest) -> Iterator[str]:
    """Yield the paths into earlier answers that a request's placeholders name."""
    for path in placeholders_in(request.model_dump(by_alias=True)):
        first, _, rest = path.partition(".")
        if first == "answers" and rest:
            yield rest


def config_schema_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the configs of a type's sources: its parameters, and how the server is reached."""
    whole = deepcopy(dict(schema))
    properties = whole.get("properties")
    if whole.get("type", "object") == "object" and (properties is None or isinstance(properties, Mapping)):
        # Behind the type's own: JSON Schema keeps no order, the forms go by propertyOrder.
        connection = {**Connection.model_json_schema(), "title": "Connection", "propertyOrder": 1_000}
        connection.pop("$defs", None)
        whole["properties"] = {**(properties or {}), CONNECTION: connection}
    return whole
