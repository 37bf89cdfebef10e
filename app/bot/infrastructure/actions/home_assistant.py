"""Call a service of Home Assistant."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

from pydantic import Field
from yarl import URL

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionFailedError, ActionResult, action_types
from app.bot.infrastructure.network.http_requests import Request, send
from app.bot.infrastructure.sources.http_request import HttpAddress

_SERVICE = r"^[a-z0-9_]{1,64}\.[a-z0-9_]{1,64}$"
_MAX_ANSWER = 64 * 1024
_REASONS = {
    401: "The token is not valid. Make a long-lived access token in the profile of Home Assistant.",
    404: "There is no such address. Is it that of Home Assistant itself?",
    400: "Home Assistant does not know this service, or not with these data.",
}


@action_types.register("home_assistant")
class HomeAssistant(Action, title="Home Assistant"):
    """Calls a service of Home Assistant, such as light.turn_on.

    The token is a long-lived access token, made in the profile of a user of Home Assistant.
    """

    url: HttpAddress = Field(description="Address of Home Assistant, such as http://homeassistant.local:8123")
    token: str = Field(min_length=1, description="Long-lived access token, best as ${secret:name}")
    service: Annotated[str, Field(pattern=_SERVICE)] = Field(description="Domain and service, such as light.turn_on")
    data: dict[str, Any] = Field(default_factory=dict, description="Data of the call, such as entity_id: light.rack")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")

    encoded_fields: ClassVar[frozenset[str]] = frozenset({"url"})

    def describe(self) -> str:
        """Name the service, and what it concerns."""
        concerned = self.data.get("entity_id")
        return f"Calls {self.service}{f' on {concerned}' if concerned else ''}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Call the service, and count what changed."""
        resources = context.resources
        domain, _, service = self.service.partition(".")
        token = await resources.secrets.fill(self.token)
        url = URL(await resources.secrets.fill(self.url.rstrip("/"), quoted=True))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps(await resources.secrets.fill_within(self.data)).encode()
        request = Request("POST", url / "api" / "services" / domain / service, headers, body, self.verify_tls)
        async with send(resources.session, request) as answer:
            content, _ = await answer.read(_MAX_ANSWER)
        if answer.status != 200:  # Home Assistant answers nothing else that is good
            reason = _REASONS.get(answer.status, "")
            raise ActionFailedError(f"Home Assistant answered {answer.status_text}. {reason}".strip())
        return ActionResult(f"Called {self.service}. {_changed(content)}")


def _changed(content: bytes) -> str:
    try:
        states = json.loads(content)
    except ValueError:
        return "It answered."
    if not isinstance(states, list) or not states:
        return "No state changed at once."
    names = [str(state.get("entity_id")) for state in states[:5] if isinstance(state, dict)]
    more = f" and {len(states) - len(names)} more" if len(states) > len(names) else ""
    return f"Changed: {', '.join(names)}{more}."
