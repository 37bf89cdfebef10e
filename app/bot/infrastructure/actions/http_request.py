"""Send an HTTP request."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from pydantic import Field

from app.bot.domain.actions.runs import MAX_OUTPUT
from app.bot.infrastructure.actions.base import Action, ActionContext, ActionFailedError, ActionResult, action_types
from app.bot.infrastructure.network.http_requests import send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.http_request import HttpFields

_SHOWN_CHARACTERS = 300


@action_types.register("http_request")
class HttpRequest(HttpFields, Action, title="HTTP request"):
    """Sends an HTTP request, such as to the API of a service, or to a webhook.

    Values of the user are percent-encoded in the address, and JSON in a body that is an object.
    """

    encoded_fields: ClassVar[frozenset[str]] = frozenset({"url"})

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="HTTP method")
    body: dict[str, Any] | list[Any] | str | None = Field(
        None, description="What to send: JSON, or a text as it is; texts may hold ${secret:name}"
    )
    expected: list[int] = Field(
        default_factory=list, max_length=20, description="Status codes that mean success; empty for 200 to 299"
    )
    show_answer: bool = Field(True, description="Show the user what the server answered")

    def describe(self) -> str:
        """Name method and address."""
        return f"Sends {self.method} to {self.url}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Send it once; whatever is not expected is a failure, with the beginning of the answer."""
        resources = context.resources
        secrets = resources.secrets
        body = None if self.body is None else await _sent(self.body, secrets)
        defaults = {"Content-Type": "application/json"} if body is not None and not isinstance(self.body, str) else {}
        request = await self.request(self.method, secrets, defaults, body)
        async with send(resources.session, request) as answer:
            content, _ = await answer.read(MAX_OUTPUT)
            text = answer.text(content)
        expected = answer.status in self.expected if self.expected else answer.status in range(200, 300)
        if not expected:
            said = f": {text.strip()[:_SHOWN_CHARACTERS]}" if text.strip() else ""
            raise ActionFailedError(f"The server answered {answer.status_text}{said}")
        name = "answer.json" if "json" in answer.response.content_type else "answer.txt"
        return ActionResult(f"The server answered {answer.status_text}.", text if self.show_answer else "", name)


async def _sent(body: Any, secrets: SecretUse) -> bytes:
    if isinstance(body, str):
        return (await secrets.fill(body)).encode()
    return json.dumps(await secrets.fill_within(body), ensure_ascii=False).encode()
