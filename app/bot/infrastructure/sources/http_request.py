"""The part of a config that describes an HTTP request, shared by the types that send one."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from multidict import CIMultiDict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from yarl import URL

from app.bot.infrastructure.network.http_requests import Request
from app.bot.infrastructure.secrets import REFERENCE, SecretUse
from app.bot.infrastructure.sources.base import Source


def _check_address(address: str) -> str:
    try:
        url = URL(REFERENCE.sub("secret", address))
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an address like http://192.168.1.10:8080/path")
    authority = re.split(r"[/?#]", address.split("//", 1)[1], maxsplit=1)[0]
    if REFERENCE.search(authority.rpartition("@")[2]):
        raise ValueError("the host of an address cannot be a secret")
    return address


HttpAddress = Annotated[str, AfterValidator(_check_address)]


class NoAuth(BaseModel):
    """No log-in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["none"] = "none"


class BasicAuth(BaseModel):
    """User name and password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["basic"]
    username: str = Field(description="User name; may be ${secret:name}")
    password: str = Field("", description="Best as ${secret:name}")


class BearerAuth(BaseModel):
    """A token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["bearer"]
    token: str = Field(min_length=1, description="Best as ${secret:name}")


class HttpFields(BaseModel):
    """Fields of every config that says how to send an HTTP request."""

    url: HttpAddress = Field(description="Address, such as http://192.168.1.10:8080/path; may hold ${secret:name}")
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers to send; a value may hold ${secret:name}"
    )
    auth: Annotated[NoAuth | BasicAuth | BearerAuth, Field(discriminator="type")] = Field(
        NoAuth(), description="How to log in: none, basic (username, password) or bearer (token)"
    )
    follow_redirects: bool = Field(True, description="Go where the server redirects to")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")

    async def request(
        self,
        method: str,
        secrets: SecretUse,
        defaults: Mapping[str, str],
        body: bytes | None = None,
        address: str | None = None,
    ) -> Request:
        """Return the request with its secrets filled in; `defaults` are headers that the config may replace.

        `address` is asked instead of the config's own. Raises UnknownSecretError, UnreadableSecretError.
        """
        url = URL(await secrets.fill(address or self.url, quoted=True))
        headers = CIMultiDict(defaults)
        for name, value in self.headers.items():
            headers[name] = await secrets.fill(value)
        authorization = await self._authorization(url, secrets)
        if authorization is not None:
            headers["Authorization"] = authorization
            secrets.also_hide(authorization)
        return Request(method, url.with_user(None), headers, body, self.verify_tls, self.follow_redirects)

    async def _authorization(self, url: URL, secrets: SecretUse) -> str | None:
        match self.auth:
            case BearerAuth():
                return f"Bearer {await secrets.fill(self.auth.token)}"
            case BasicAuth():
                user, password = await secrets.fill(self.auth.username), await secrets.fill(self.auth.password)
            case NoAuth() if url.user is not None:
                user, password = url.user, url.password or ""
            case _:
                return None
        secrets.also_hide(password)
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        secrets.also_hide(encoded)
        return f"Basic {encoded}"


class HttpSource(HttpFields, Source):
    """Base of the types that send one HTTP request per reading."""
