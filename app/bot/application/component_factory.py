"""ComponentFactory: a type's name and a config become a component."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from app.bot.domain.component import Component, parse_config
from app.bot.domain.registry import Registry

_REMEMBERED = 4_096


class ComponentFactory:
    """Makes components, nested ones too; equal configs of a type are parsed once."""

    def __init__(self, types: Registry[type[Component]]) -> None:
        self._types = types
        self._made: OrderedDict[tuple[str, str], Component] = OrderedDict()

    def make(self, type_name: str, config: Mapping[str, Any]) -> Component:
        """A component of this type. Raises UnknownTypeError or InvalidConfigError."""
        key = (type_name, json.dumps(config, sort_keys=True, default=str))
        known = self._made.get(key)
        if known is not None:
            self._made.move_to_end(key)
            return known
        made = parse_config(self._types[type_name], config, f"Config of “{type_name}”")
        self._made[key] = made
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        return made
