"""The form that asks for an action's parameters, and what its user entered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
from discord import ui

from app.bot.application.actions.catalog import ActionForm
from app.bot.domain.actions.parameters import (
    CHOICE_CHARACTERS,
    MAX_TEXT,
    ActionParameter,
    Offer,
    ParameterType,
    is_missing,
)
from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.items import plain_text

MAX_FIELDS = 5
"""Fields of one form, Discord's limit."""
MAX_OPTIONS = 25
_TITLE_CHARACTERS = _LABEL_CHARACTERS = 45
_HINT_CHARACTERS = 100
_YES_NO = (Offer("true", "Yes"), Offer("false", "No"))
_HINTS = {
    ParameterType.INTEGER: "A whole number",
    ParameterType.NUMBER: "A number",
    ParameterType.DURATION: "A length of time, such as 90s, 15m or 1h30m",
}


class TooManyParametersError(HomelabError):
    """An action needs more answers than one form can ask for."""


def to_modal(form: ActionForm, custom_id: str) -> ui.Modal:
    """Return a form as Discord shows it; those that are not required are left out where there are too many.

    Raises TooManyParametersError.
    """
    needed = [parameter for parameter in form.parameters if _is_needed(parameter)]
    if len(needed) > MAX_FIELDS:
        raise TooManyParametersError(
            f"“{form.title}” needs {len(needed)} answers, and a form has {MAX_FIELDS}. Set some in the button, or run "
            "it in the web admin."
        )
    others = [parameter for parameter in form.parameters if not _is_needed(parameter)]
    shown = {*(one.name for one in needed), *(one.name for one in others[: MAX_FIELDS - len(needed)])}
    modal = ui.Modal(title=shorten(form.title, _TITLE_CHARACTERS), custom_id=custom_id)
    for parameter in form.parameters:
        if parameter.name in shown:
            modal.add_item(_field(parameter, form.offers.get(parameter.name, ())))
    modal.stop()  # it comes back by its custom_id; the library need not remember it
    return modal


def entered(data: Any) -> dict[str, str]:
    """Return what a form came back with, by the parameters' names; fields that were left empty are left out."""
    found = {}
    for component in _fields(data.get("components", ())):
        values = component.get("values")
        value = component.get("value") if values is None else next(iter(values), "")
        if value:
            found[str(component.get("custom_id"))] = str(value)
    return found


def _is_needed(parameter: ActionParameter) -> bool:
    return parameter.required and is_missing(parameter.default)


def _field(parameter: ActionParameter, offers: tuple[Offer, ...]) -> ui.Label[Any]:
    if parameter.type is ParameterType.BOOLEAN:
        offers = _YES_NO
    choosing = 0 < len(offers) <= MAX_OPTIONS
    return ui.Label(
        text=shorten(parameter.label, _LABEL_CHARACTERS),
        description=shorten(parameter.description or _HINTS.get(parameter.type, ""), _HINT_CHARACTERS) or None,
        component=_select(parameter, offers) if choosing else _input(parameter, offers),
    )


def _select(parameter: ActionParameter, offers: tuple[Offer, ...]) -> ui.Select[Any]:
    default = plain_text(parameter.default)
    options = [
        discord.SelectOption(label=offer.label, value=offer.value, default=offer.value == default) for offer in offers
    ]
    needed = parameter.required
    return ui.Select(custom_id=parameter.name, options=options, required=needed, min_values=int(needed))


def _input(parameter: ActionParameter, offers: tuple[Offer, ...]) -> ui.TextInput[Any]:
    style = discord.TextStyle.paragraph if parameter.multiline else discord.TextStyle.short
    hint = f"Such as {offers[0].label}" if offers else None
    is_text = parameter.type is ParameterType.TEXT
    longest = int(min(parameter.max or MAX_TEXT, MAX_TEXT)) if is_text else CHOICE_CHARACTERS
    return ui.TextInput(
        custom_id=parameter.name,
        style=style,
        default=shorten(plain_text(parameter.default), longest) or None,
        placeholder=shorten(hint, _HINT_CHARACTERS) if hint else None,
        required=_is_needed(parameter),
        max_length=max(1, longest),
    )


def _fields(components: Any) -> Iterator[dict[str, Any]]:
    for component in components:
        if isinstance(component.get("component"), dict):
            yield component["component"]
        yield from component.get("components", ())
