"""starlette-admin's templates, made to work under a strict content security policy."""

from __future__ import annotations

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment, PackageLoader

_NONCE = ' nonce="{{ request.state.csp_nonce }}"'
_TAG = re.compile(r"<(script|style)(?=[\s>])")
_REPLACED = {
    # Inline handlers, which the policy forbids; static/app.js listens to these marks instead.
    'onclick="applyColumnVisibility()"': 'data-apply-columns="1"',
    'onchange="window.location = this.value"': 'data-navigate="1"',
    # A click on a row leads where the view says.
    "{{ detail_url(request, view.key, row_pk) }}": "{{ view.row_url(request, row_pk, row) }}",
}
_PREFIX = "@core/"


class NonceLoader(BaseLoader):
    """The library's own templates, with the response's nonce on their inline scripts and styles."""

    def __init__(self) -> None:
        self._core = PackageLoader("starlette_admin", "templates")

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return the template's text; `@core/` before a name asks for the library's own where it is overridden here."""
        source, filename, up_to_date = self._core.get_source(environment, template.removeprefix(_PREFIX))
        for old, new in _REPLACED.items():
            source = source.replace(old, new)
        return _TAG.sub(rf"<\1{_NONCE}", source), filename, up_to_date
