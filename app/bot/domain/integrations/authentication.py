"""How an integration logs in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.integrations.languages import Path
from app.bot.domain.integrations.requests import Message, RemoteCall, StatusCode


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoAuthentication(_Part):
    """No log-in."""

    type: Literal["none"] = "none"


class BasicAuthentication(_Part):
    """User name and password with every request; none where the name is empty."""

    type: Literal["basic"] = "basic"
    username: str
    password: str = ""


class BearerAuthentication(_Part):
    """A token with every request."""

    type: Literal["bearer"]
    token: str


class HeaderAuthentication(_Part):
    """A header of its own with every request; none where it is empty."""

    type: Literal["header"]
    name: str = Field(min_length=1)
    value: str


class QueryAuthentication(_Part):
    """A parameter of the address with every request."""

    type: Literal["query"]
    name: str = Field(min_length=1)
    value: str


class LoginRequest(Message):
    """The request that logs in."""

    statuses: tuple[StatusCode, ...] = Field(
        (), description="Answers that are right; empty for any from 200 to 299. 204 and 409 can be right as well"
    )


class Carrier(_Part):
    """Where a token is sent: a header or a query parameter."""

    name: str = Field(min_length=1)
    value: str = Field("${token}", description="What is sent; ${token} stands for the token")


class LoginAuthentication(_Part):
    """A log-in that gives a token or cookies, which are used until they are refused."""

    type: Literal["login"]
    request: LoginRequest
    basic: BasicAuthentication | None = Field(
        None, description="User name and password that go with the log-in and with every request besides"
    )
    token: Path | None = Field(None, description="JMESPath to the token in the JSON answer")
    header: Carrier | None = None
    query: Carrier | None = None
    cookies: bool = Field(False, description="Keep the cookies that the answer sets")
    copy_headers: dict[str, str] = Field(
        default_factory=dict, description="A header of the answer, and the header of the requests that repeats it"
    )
    expect_text: str = Field("", description="What the answer holds when the log-in was right")
    refused_text: str = Field("", description="What the answer holds when the credentials are wrong")
    expired_statuses: tuple[StatusCode, ...] = Field(
        (401,), min_length=1, description="Answers that mean that the log-in has run out"
    )
    valid_seconds: float | None = Field(None, gt=0, description="Log in again after this time")

    @model_validator(mode="after")
    def _gives_something(self) -> LoginAuthentication:
        if (self.token is None) != (self.header is None and self.query is None):
            raise ValueError("token and header or query belong together: where the token is, and how it is sent")
        if self.token is None and not self.cookies and not self.copy_headers:
            raise ValueError("token, cookies or copy_headers is needed: what the log-in gives")
        return self


class JsonRpcAuthentication(_Part):
    """One WebSocket for all calls of a reading (JSON-RPC 2.0), the first of which logs in."""

    type: Literal["json_rpc"]
    path: str = Field(min_length=1, max_length=2_000, description="Path of the WebSocket, joined to the base address")
    login: RemoteCall
    accepted: Path = Field(description="JMESPath over what the log-in gives: true where the credentials are right")


Authentication = Annotated[
    NoAuthentication
    | BasicAuthentication
    | BearerAuthentication
    | HeaderAuthentication
    | QueryAuthentication
    | LoginAuthentication
    | JsonRpcAuthentication,
    Field(discriminator="type"),
]
