"""Answers with a page, drawn in the same frame as the table pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates
from starlette_admin.auth import AdminUser
from starlette_admin.cookies import SignedCookie
from starlette_admin.flash import get_flashed_messages

_FLASH_COOKIE = "starlette_admin_flash"
"""Where the table pages leave what the next page shall say, such as that a record was saved."""


class Pages:
    """Renders templates with what the frame needs."""

    def __init__(self, templates: Jinja2Templates, signing_key: str) -> None:
        self._templates = templates
        self._flashes = SignedCookie(signing_key, salt="starlette-admin-flash", timed=True, max_age=300)

    def render(
        self, request: Request, name: str, values: Mapping[str, Any] | None = None, status_code: int = 200
    ) -> Response:
        """Return the page as an answer."""
        actor = getattr(request.state, "actor", None)
        request.state.admin_flash_cookie = self._flashes
        messages = get_flashed_messages(request) if actor is not None else []
        request.state.is_anonymous = actor is None
        request.state.admin_user = None if actor is None else AdminUser(username=actor.name)
        context = {"flashed_messages": messages, "actor": actor, **(values or {})}
        response = self._templates.TemplateResponse(request, name, context, status_code=status_code)
        if messages:
            response.delete_cookie(_FLASH_COOKIE)
        return response

    @property
    def environment(self) -> Any:
        """The Jinja2 environment."""
        return self._templates.env


def pages_of(request: Request) -> Pages:
    """Return the pages of the application that serves this request."""
    pages: Pages = request.state.pages
    return pages
