"""The requests of an integration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.integrations.languages import Identifier, Path

StatusCode = Annotated[int, Field(ge=100, le=599)]
Scalar = str | int | float | bool | None
MAX_REPEATS = 50
"""Requests that one `for_each` may send: a page of a dashboard shows no more, and the server is a homelab's."""


class Message(BaseModel):
    """What is sent: the parts that the requests and the log-in share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field("", max_length=2_000, description="Joined to the base address; placeholders are percent-encoded")
    url: str = Field("", max_length=2_000, description="A whole address instead of the path")
    query: dict[str, Scalar | list[Scalar]] = Field(
        default_factory=dict, description="Parameters of the address; one that is empty is left out"
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send")
    json_body: Any = Field(None, alias="json", description="What to send as JSON")
    form: dict[str, Scalar] | None = Field(None, description="What to send as a form")
    text: str | None = Field(None, max_length=100_000, description="What to send as it is")

    @model_validator(mode="after")
    def _one_of_each(self) -> Message:
        if self.path and self.url:
            raise ValueError("path and url exclude each other: keep one")
        if sum(body is not None for body in (self.json_body, self.form, self.text)) > 1:
            raise ValueError("json, form and text exclude each other: keep one")
        return self


class RemoteCall(BaseModel):
    """A call of JSON-RPC 2.0 over the type's WebSocket."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = Field(min_length=1, max_length=200, description="What is called, such as pool.query")
    params: list[Any] = Field(default_factory=list, description="Its arguments in order; may hold placeholders")


class Pages(BaseModel):
    """How an answer goes on: by the next page's address or mark (`next`), or by counting (`number`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: Path = Field(
        description="JMESPath to the list on a page; the answer is the lists of all pages, put together"
    )
    next: Path | None = Field(None, description="JMESPath to the next page's address or, with `into`, its mark")
    into: str = Field("", max_length=100, description="The query parameter that takes the mark of the next page")
    number: str = Field("", max_length=100, description="The query parameter that counts the pages")
    first: int = Field(1, ge=0, le=1, description="The number of the first page")
    step: int = Field(1, ge=1, le=10_000, description="What a page adds to the number, where it counts entries")
    total_pages: Path | None = Field(None, description="JMESPath to how many pages there are")
    limit: int = Field(20, ge=1, le=100, description="No more pages than this are read")

    @model_validator(mode="after")
    def _one_way(self) -> Pages:
        if (self.next is None) == (not self.number):
            raise ValueError("next or number is needed: where the next page is, or the parameter that counts them")
        return self


class IntegrationRequest(Message):
    """A request by name. Mappings know its answer by that name; later requests may use values of it."""

    name: Identifier
    rpc: RemoteCall | None = Field(None, description="A call over the WebSocket of auth json_rpc, instead of a path")
    format: Literal["json", "text"] = Field("json", description="What the answer is")
    optional: bool = Field(False, description="Where it fails, its answer is missing and the rest is shown")
    optional_statuses: tuple[StatusCode, ...] = Field(
        (), description="Answers with these statuses are missing without fault: the server lacks that feature"
    )
    cache_seconds: float = Field(0, ge=0, le=604_800, description="Ask again only after this time")
    for_each: Path | None = Field(
        None, description="JMESPath over the earlier answers to a list; sent once for each entry, known as ${item}"
    )
    pages: Pages | None = Field(None, description="How to read the pages after the first")
