"""ComponentFactory: a type's name and a config become a component."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from app.bot.application.rendering.template_builds import TemplateBuild
from app.bot.domain.components.component import Component, mentioned_sources, parse_config
from app.bot.domain.components.component_templates import ComponentTemplate, TemplateComponent, nested_components
from app.bot.domain.components.fields import TemplateMark, marked_fields
from app.bot.domain.components.nesting import NestedComponent
from app.bot.domain.components.placeholders import fill_known
from app.bot.domain.errors import HomelabError, UnknownTypeError
from app.bot.domain.registry import Registry

_REMEMBERED = 4_096


class ComponentFactory:
    """Makes components of builtin and of component templates, nested ones too; equal configs of a type are parsed once.

    A component template named like a builtin one is never used.
    """

    def __init__(self, types: Registry[type[Component]], templates: Iterable[ComponentTemplate] = ()) -> None:
        self._types = types
        self._templates: dict[str, ComponentTemplate] = {}
        self._builds: dict[str, TemplateBuild | HomelabError] = {}
        self._made: OrderedDict[tuple[str, str], Component] = OrderedDict()
        self._template_fields: dict[str, frozenset[str]] = {}
        self._being_made: list[str] = []
        self.define(templates)

    def define(self, templates: Iterable[ComponentTemplate]) -> frozenset[str]:
        """Take over the component templates as they are now; the names of those that changed, came or went."""
        now = {template.name: template for template in templates}
        changed = changed_types(self._templates, now)
        if changed:
            self._templates = now
            self._builds = {name: build for name, build in self._builds.items() if name not in changed}
            # What a component reads also depends on the types within its own: all of templates are made again.
            self._made = OrderedDict((key, made) for key, made in self._made.items() if key[0] in self._types)
        return changed

    def make(self, type_name: str, config: Mapping[str, Any]) -> Component:
        """Return a component of this type. Raises UnknownTypeError or InvalidConfigError."""
        key = (type_name, json.dumps(config, sort_keys=True, default=str))
        known = self._made.get(key)
        if known is not None:
            self._made.move_to_end(key)
            return known
        what = f"Config of “{type_name}”"
        if type_name in self._types:
            made: Component = parse_config(self._types[type_name], config, what)
        else:
            made = self._of_template(type_name, config, what)
            if self._being_made:  # its sources may lack those of a type that is being made around it
                return made
        self._made[key] = made
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)
        return made

    def template_fields(self, type_name: str) -> frozenset[str]:
        """Names of the fields, at any depth of the type's config, that hold Jinja2; none for a component template."""
        if type_name not in self._types:
            return frozenset()
        if type_name not in self._template_fields:
            self._template_fields[type_name] = marked_fields(self._types[type_name], TemplateMark)
        return self._template_fields[type_name]

    def _of_template(self, name: str, config: Mapping[str, Any], what: str) -> TemplateComponent:
        build = self._build(name)
        params = build.parameters(config, what)
        return TemplateComponent.model_construct(
            type_name=name, params=params, body=build.body, reads=self._sources(name, build.body, params)
        )

    def _build(self, name: str) -> TemplateBuild:
        build = self._builds.get(name)
        if build is None:
            template = self._templates.get(name)
            if template is None:
                known = ", ".join(sorted({*self._types, *self._templates})) or "none"
                raise UnknownTypeError(f"Unknown component type “{name}”. Known: {known}")
            try:
                build = TemplateBuild.of(template)
            except HomelabError as error:
                build = error
            self._builds[name] = build
        if isinstance(build, HomelabError):
            raise build.with_traceback(None)
        return build

    def _sources(self, name: str, body: Iterable[NestedComponent], params: Mapping[str, Any]) -> frozenset[str]:
        """Return the sources that a body names with these parameters, also in the component templates within it."""
        if name in self._being_made:
            return frozenset()  # a type within itself names nothing new
        self._being_made.append(name)
        try:
            filled = fill_known([child.model_dump() for child in body], {"params": params})
            found = set(mentioned_sources(filled))
            for type_name, config in nested_components(filled):
                if type_name not in self._types:
                    found |= self._sources_within(type_name, config)
            return frozenset(found)
        finally:
            self._being_made.pop()

    def _sources_within(self, type_name: str, config: Mapping[str, Any]) -> frozenset[str]:
        try:
            return self.make(type_name, config).sources()
        except HomelabError:  # said where it is shown
            return frozenset()


def changed_types(before: Mapping[str, ComponentTemplate], now: Mapping[str, ComponentTemplate]) -> frozenset[str]:
    """Names of the types that are different, or in one of both only."""
    return frozenset(name for name in {*before, *now} if before.get(name) != now.get(name))
