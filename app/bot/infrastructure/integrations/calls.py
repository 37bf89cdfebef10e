"""From a described request to one that can be sent: placeholders filled, parts of the address percent-encoded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from multidict import CIMultiDict
from yarl import URL

from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.domain.integrations.requests import Message, RemoteCall
from app.bot.infrastructure.sources.base import SourceFailedError

_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][\w.-]*\}")

Values = Mapping[str, Any]
"""What placeholders name: params, answers, item, token."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its log-in. `url` has no credentials in it."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def with_query(self, name: str, value: str) -> Call:
        """Return the call with one more parameter in its address."""
        return replace(self, url=self.url.update_query({name: value}))


def base_address(template: str, values: Values) -> URL:
    """Return the address that paths are joined to. Raises SourceFailedError for one that is no web address."""
    return _web_address(_text(fill_placeholders(template, values)))


def make_call(message: Message, base: URL, headers: Mapping[str, str], values: Values) -> Call:
    """Make the request with these values. Raises SourceFailedError, or InvalidConfigError for unknown placeholders."""
    sent = CIMultiDict[str]({"Accept": "application/json"})
    body = _body(message, values, sent)
    for name, value in (*headers.items(), *message.headers.items()):
        text = _text(fill_placeholders(value, values))
        if text:
            sent[name] = text
    return Call(message.method, _address(message, base, values), sent, body)


def make_remote_call(remote: RemoteCall, address: URL, values: Values) -> Call:
    """Return the call with these values; its body holds the arguments.

    Raises InvalidConfigError for unknown placeholders.
    """
    body = json.dumps(fill_placeholders(remote.params, values)).encode()
    return Call(remote.method, address, CIMultiDict[str](), body)


def joined_address(base: URL, path: str) -> URL:
    """Return a path behind the base address, whose own path is kept."""
    return base.with_path(f"{base.raw_path.rstrip('/')}/{path.lstrip('/')}", encoded=True)


def _address(message: Message, base: URL, values: Values) -> URL:
    if message.url:
        whole = _PLACEHOLDER.fullmatch(message.url)
        text = _text(fill_placeholders(message.url, values)) if whole else _encoded(message.url, values)
        url = _web_address(text, encoded=whole is None)
    else:
        path, _, query = _encoded(message.path, values).partition("?")
        joined = joined_address(base, path) if path else base.with_path(base.raw_path, encoded=True)
        url = joined.with_query(base.query)
        if query:
            url = url.update_query(query)
    parameters = [
        (name, _text(value))
        for name, entry in message.query.items()
        for value in _each(fill_placeholders(entry, values))
        if value not in (None, "")
    ]
    return url.extend_query(parameters) if parameters else url


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _encoded(template: str, values: Values) -> str:
    """Return the template with its values percent-encoded, so that none can leave its part of a path."""

    def encode(match: re.Match[str]) -> str:
        text = quote(_text(fill_placeholders(match[0], values)), safe="")
        return text.replace(".", "%2E") if text in (".", "..") else text

    return _PLACEHOLDER.sub(encode, template)


def _web_address(text: str, *, encoded: bool = False) -> URL:
    try:
        url = URL(text, encoded=encoded)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceFailedError("The address must be one like http://192.168.1.10:8080")
    return url.with_fragment(None)


def _body(message: Message, values: Values, headers: CIMultiDict[str]) -> bytes | None:
    if message.json_body is not None:
        headers["Content-Type"] = "application/json"
        return json.dumps(fill_placeholders(message.json_body, values)).encode()
    if message.form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        fields = {name: _text(fill_placeholders(value, values)) for name, value in message.form.items()}
        return urlencode(fields).encode()
    if message.text is not None:
        return _text(fill_placeholders(message.text, values)).encode()
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return "" if value is None else str(value)
