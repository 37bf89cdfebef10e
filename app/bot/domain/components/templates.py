"""Text templates, as the domain needs them; the sandbox that fulfils this stands in app.shared.templating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Templates(Protocol):
    """Renders Jinja2 templates in a sandbox with limits."""

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Return the text; data that the template prints comes out escaped for Markdown.

        Raises an exception whose text says what is wrong and in which line; RenderContext.text names it.
        """
        ...
