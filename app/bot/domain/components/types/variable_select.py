"""The variable select component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.blocks.block import Block, Option, Select, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Scope
from app.bot.domain.components.variables import ALL, ResolvedVariable, VariableType
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import escape_markdown, shorten

VARIABLE_VERB = "var"
OWN_VARIABLE_VERB = "own_var"
"""The same for the user alone who chooses."""

MAX_SHOWN = 25
"""Options of a select, Discord's limit (API description, StringSelectComponentForMessageRequest)."""

_LABEL_LIMIT = 100
_PLACEHOLDER_LIMIT = 150


@component_types.register("variable_select")
class VariableSelect(Component, title="Variable select"):
    """A drop-down that chooses the value of a variable of the dashboard."""

    variable: str = Field(min_length=1, max_length=30, description="A variable of the dashboard's layout, by its name")
    placeholder: str = Field("", max_length=100, description="Shown while nothing is chosen; empty: its name")
    scope: Scope = Field(
        Scope.SHARED,
        description="shared: the message changes for everyone; personal: who chooses gets a view of their own",
    )

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the select, with what is chosen marked."""
        resolved = context.resolved.get(self.variable)
        if resolved is None:
            known = ", ".join(context.resolved) or "none; add it to the layout of the dashboard"
            raise InvalidConfigError(f"variable: there is no variable “{self.variable}”. Known: {known}")
        if resolved.variable.type is VariableType.CONSTANT:
            raise InvalidConfigError(f"variable: “{self.variable}” is a constant: there is nothing to choose")
        title = resolved.variable.title
        if not resolved.options:
            return (Text(f"-# {escape_markdown(title)}: nothing to choose from"),)
        verb = VARIABLE_VERB if self.scope is Scope.SHARED else OWN_VARIABLE_VERB
        options = _shown(resolved)
        hidden = len(resolved.options) + resolved.variable.all_option - len(options)
        placeholder = self.placeholder.strip() or (f"{title} ({hidden} more are not listed)" if hidden else title)
        return (
            Select(
                context.custom_id(verb, self.variable),
                options,
                shorten(placeholder, _PLACEHOLDER_LIMIT),
                max_values=len(options) if resolved.variable.multi else 1,
            ),
        )


def _shown(resolved: ResolvedVariable) -> tuple[Option, ...]:
    """As many options as Discord takes, those that are chosen among them."""
    everything = [Option("All", ALL, selected=resolved.chosen == (ALL,))] if resolved.variable.all_option else []
    options = [
        Option(shorten(option.label, _LABEL_LIMIT), option.text, selected=option.text in resolved.chosen)
        for option in resolved.options
    ]
    room = MAX_SHOWN - len(everything)
    if len(options) > room:
        chosen = [option for option in options[room:] if option.selected][:room]
        options = options[: room - len(chosen)] + chosen
    return (*everything, *options)
