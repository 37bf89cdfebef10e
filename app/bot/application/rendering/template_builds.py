"""A component template made ready: its row checked once, then used for every component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bot.domain.components.component import parse_config
from app.bot.domain.components.component_templates import ComponentTemplate, TemplateDefinition, with_defaults
from app.bot.domain.components.nesting import NestedComponent
from app.bot.domain.errors import InvalidConfigError
from app.shared.kit.json_schema import schema_errors, schema_problem


@dataclass(frozen=True, slots=True)
class TemplateBuild:
    """What the row of a component template says, checked."""

    schema: Mapping[str, Any]
    body: tuple[NestedComponent, ...]

    @classmethod
    def of(cls, template: ComponentTemplate) -> TemplateBuild:
        """Return the type as its row has it. Raises InvalidConfigError."""
        what = f"Component type “{template.name}”"
        schema = template.config_schema
        problem = schema_problem(schema) if isinstance(schema, Mapping) else "is no JSON Schema"
        if problem is not None:
            raise InvalidConfigError(f"{what}: config_schema {problem}")
        if not isinstance(template.definition, Mapping):
            raise InvalidConfigError(f"{what}: definition is missing; edit the type in the web admin")
        parsed = parse_config(TemplateDefinition, template.definition, what)
        return cls(without_patterns(schema), tuple(parsed.components))

    def parameters(self, config: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Return the config with the defaults of what it leaves out.

        Raises InvalidConfigError, naming each wrong field.
        """
        params = with_defaults(self.schema, config)
        errors = schema_errors(self.schema, params)
        if errors:
            raise InvalidConfigError(f"{what}: " + "; ".join(f"{place}: {text}".lstrip(": ") for place, text in errors))
        return params


def without_patterns(schema: Any) -> Any:
    """Return the schema without regular expressions: the web admin has checked them already.

    Where names are given by expressions, any name is allowed.
    """
    if isinstance(schema, list):
        return [without_patterns(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    left_out = {"pattern"} if isinstance(schema.get("pattern"), str) else set()
    if isinstance(schema.get("patternProperties"), Mapping):
        left_out |= {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    return {name: without_patterns(part) for name, part in schema.items() if name not in left_out}
