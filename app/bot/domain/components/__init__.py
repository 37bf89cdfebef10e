"""The builtin component types, one file each. Importing this package registers them all."""

from app.bot.domain.components import (
    buttons,
    gauge,
    heading,
    image,
    key_value,
    links,
    metric,
    page_select,
    separator,
    sparkline,
    status_list,
    table,
    text,
)

__all__ = [
    "buttons",
    "gauge",
    "heading",
    "image",
    "key_value",
    "links",
    "metric",
    "page_select",
    "separator",
    "sparkline",
    "status_list",
    "table",
    "text",
]
