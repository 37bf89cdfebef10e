"""Sources that fetch one or several documents and read them off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from pydantic import Field

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.network.http_requests import send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, SourceFailedError
from app.bot.infrastructure.sources.http_request import HttpAddress, HttpSource
from app.bot.infrastructure.threads import in_thread

_MEBIBYTES = 5
Read = TypeVar("Read")


class DocumentSource(HttpSource):
    """Base of the types that read whole documents, each from an address of its own."""

    more_urls: Annotated[tuple[HttpAddress, ...], Field(max_length=9)] = Field(
        (), description="Addresses of further ones, read with the first"
    )

    async def documents(
        self, resources: Resources, accept: str, read: Callable[[bytes], Read]
    ) -> tuple[list[Read], list[str]]:
        """Return what `read` made of each document, in a thread, and what went wrong with the others.

        Raises SourceFailedError when none could be read.
        """
        secrets = SecretUse(resources.secrets)
        addresses = (self.url, *self.more_urls)
        results: list[Any] = await asyncio.gather(
            *(self._document(resources, secrets, address, accept, read) for address in addresses),
            return_exceptions=True,
        )
        problems: list[str] = []
        found: list[Read] = []
        for position, result in enumerate(results, start=1):
            if isinstance(result, HomelabError):
                where = f"address {position}: " if len(addresses) > 1 else ""
                problems.append(where + secrets.hide(str(result)))
            elif isinstance(result, BaseException):
                raise result
            else:
                found.append(result)
        if not found:
            raise SourceFailedError("; ".join(problems))
        return secrets.hide_within(found), problems

    async def _document(
        self, resources: Resources, secrets: SecretUse, address: str, accept: str, read: Callable[[bytes], Read]
    ) -> Read:
        request = await self.request("GET", secrets, {"Accept": accept}, address=address)
        async with send(resources.session, request) as answer:
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise SourceFailedError(f"Answered {answer.status_text}")
            content, complete = await answer.read(_MEBIBYTES * 1024 * 1024)
            if not complete:
                raise SourceFailedError(f"The answer is larger than {_MEBIBYTES} MiB")
        return await in_thread(lambda: read(content), "document")
