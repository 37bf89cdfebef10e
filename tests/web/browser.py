"""A browser without scripts: cookies, and forms that carry their token."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import httpx

BASE = "http://web.test"
PASSWORD = "correct horse battery"
TOKEN_COOKIE = "starlette_admin_csrftoken"


class Browser:
    """Speaks to the web admin as one person."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.user_id = 0

    @property
    def form_token(self) -> str:
        return self.http.cookies.get(TOKEN_COOKIE) or ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, values: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        """Send a form, with the token that its page would have had."""
        return await self.http.post(path, data={**(values or {}), "csrftoken": self.form_token}, **options)

    async def api(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask the REST API as a script of the page does."""
        sent = {"X-CSRFToken": self.form_token, **headers}
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=sent)

    async def log_in(self, username: str, password: str = PASSWORD, **values: str) -> httpx.Response:
        await self.get("/login")
        return await self.post("/login", {"username": username, "password": password, **values})


def field_value(page: str, name: str) -> str:
    """What an input or textarea of a page holds."""
    area = re.search(rf'<textarea[^>]*\bname="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    if area is not None:
        return html.unescape(area[1])
    tag = re.search(rf'<input[^>]*\bname="{name}"[^>]*>', page, re.DOTALL)
    value = re.search(r'\bvalue="([^"]*)"', tag[0]) if tag is not None else None
    return html.unescape(value[1]) if value is not None else ""


def selected(page: str, name: str) -> str:
    """The chosen option of a select."""
    select = re.search(rf'<select[^>]*\bname="{name}"[^>]*>(.*?)</select>', page, re.DOTALL)
    option = re.search(r'<option value="([^"]*)" selected', select[1]) if select is not None else None
    return html.unescape(option[1]) if option is not None else ""


def error_of(page: str, name: str) -> str:
    """The error that a form shows at a field."""
    found = re.search(rf'id="{name}-error">(.*?)</div>', page, re.DOTALL)
    return html.unescape(found[1]).strip() if found is not None else ""
