"""Parameters of an action: what a user is asked for, and how each answer becomes a value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.patterns import TEXT_LIMIT, is_found, pattern_problem
from app.bot.domain.readings.items import plain_text, value_at
from app.bot.domain.readings.reading import Readings

PARAMS = "params"
"""The name under which configs know the values: `${params.x}`."""
MAX_PARAMETERS = 10
MAX_TEXT = 2_000
"""Characters of a text; Discord's own limit of an input is 4,000."""
MAX_CHOICES = 500
CHOICE_CHARACTERS = 100
"""Of a label or value: Discord's limit for options of selects and choices of commands."""

_DURATION = re.compile(r"(?:(\d{1,6})d)?\s*(?:(\d{1,6})h)?\s*(?:(\d{1,6})m)?\s*(?:(\d{1,7})s?)?", re.IGNORECASE)
_DURATION_UNITS = (86_400, 3_600, 60, 1)
_YES = frozenset({"yes", "y", "true", "on", "1"})
_NO = frozenset({"no", "n", "false", "off", "0"})
_LARGEST = 1e15

Value = str | int | float | bool


class WrongParameterError(HomelabError):
    """A value that does not fit its parameter; the text names the parameter and what fits."""


class ParameterType(StrEnum):
    """What an answer is."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DURATION = "duration"


class ParameterChoice(BaseModel):
    """One choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str = Field(min_length=1, max_length=CHOICE_CHARACTERS, description="What the action gets")
    label: str = Field("", max_length=CHOICE_CHARACTERS, description="What people read; empty for the value")


class ItemChoices(BaseModel):
    """Choices that are the items of a data source's reading, such as its containers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1, description="Name of the data source")
    items: str = Field(min_length=1, description="Name of the item table in its reading, such as containers")
    value: str = Field("name", min_length=1, description="Field of an item that the action gets")
    label: str = Field("", description="Field that people read; empty for the value")


class ActionParameter(BaseModel):
    """One thing that a user is asked for; the config names its value as ${params.name}."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,31}$", description="The name in the config, as ${params.name}, and of the option"
    )
    title: str = Field("", max_length=45, description="What people read; empty for the name")
    description: str = Field("", max_length=100, description="What it is for, in a few words")
    type: ParameterType = Field(
        ParameterType.TEXT, description="text, integer, number, boolean, choice, or duration such as 1h30m"
    )
    required: bool = Field(True, description="Whether a run needs it")
    default: str | int | float | bool | None = Field(None, description="The value where none is given")
    choices: list[ParameterChoice] = Field(
        default_factory=list, max_length=MAX_CHOICES, description="For a choice: what can be chosen"
    )
    choices_from: ItemChoices | None = Field(None, description="For a choice: the items of a data source")
    min: float | None = Field(None, description="Least number, seconds of a duration, or characters of a text")
    max: float | None = Field(None, description="Greatest number, seconds of a duration, or characters of a text")
    pattern: str = Field("", description="For a text: a regular expression that the whole text must match")
    multiline: bool = Field(False, description="For a text: whether it may have several lines")
    secret: bool = Field(False, description="Whether the value is masked wherever runs are shown")

    @model_validator(mode="after")
    def _fits_together(self) -> ActionParameter:
        has_choices = bool(self.choices) or self.choices_from is not None
        if self.type is ParameterType.CHOICE and not has_choices:
            raise ValueError("choices are missing: list some, or take them from a data source with choices_from")
        if has_choices and self.type is not ParameterType.CHOICE:
            raise ValueError("choices have no effect here: set type to choice, or empty them")
        if self.choices and self.choices_from is not None:
            raise ValueError("choices_from has no effect beside choices: keep one of them")
        if self.pattern and self.type is not ParameterType.TEXT:
            raise ValueError("pattern has no effect here: empty it, or set type to text")
        if self.pattern and (problem := pattern_problem(whole(self.pattern))) is not None:
            raise ValueError(f"pattern {problem}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max")
        if self.default is not None and self.choices_from is None:
            try:
                parse_value(self, self.default, static_choices(self))
            except WrongParameterError as error:
                raise ValueError(f"default does not fit: {error}") from None
        return self

    @property
    def label(self) -> str:
        """What people read."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice as it is offered now."""

    value: str
    label: str


Offers = Callable[[ActionParameter], Sequence[Offer]]
"""What can be chosen for a parameter now."""


def whole(pattern: str) -> str:
    """Return the pattern that only a whole text matches."""
    return rf"\A(?:{pattern})\z"


def static_choices(parameter: ActionParameter) -> tuple[Offer, ...]:
    """Return the choices that stand in the config."""
    return tuple(Offer(choice.value, choice.label or choice.value) for choice in parameter.choices)


def offers(parameter: ActionParameter, readings: Readings) -> tuple[Offer, ...]:
    """Return what can be chosen now; nothing while the data source has not been read, or is not there."""
    if parameter.choices_from is None:
        return static_choices(parameter)
    wanted = parameter.choices_from
    try:
        items = readings.latest(wanted.source).items.get(wanted.items, ())
    except HomelabError:
        return ()
    return item_offers(wanted, items)


def item_offers(wanted: ItemChoices, items: Iterable[Mapping[str, Any]]) -> tuple[Offer, ...]:
    """Items as choices, each value once. A value that is longer than Discord takes is left out."""
    found: dict[str, Offer] = {}
    for item in items:
        value = plain_text(value_at(item, wanted.value))
        label = one_line(plain_text(value_at(item, wanted.label))) if wanted.label else ""
        if 0 < len(value) <= CHOICE_CHARACTERS and value not in found:
            found[value] = Offer(value, shorten(label or one_line(value), CHOICE_CHARACTERS))
    return tuple(found.values())[:MAX_CHOICES]


def parse_values(
    parameters: Iterable[ActionParameter], given: Mapping[str, Any], offered: Offers
) -> dict[str, Value | None]:
    """Every parameter's value: the one given, else the default, else None. Raises WrongParameterError."""
    parameters = tuple(parameters)
    unknown = sorted(set(given) - {parameter.name for parameter in parameters})
    if unknown:
        known = ", ".join(parameter.name for parameter in parameters) or "none"
        raise WrongParameterError(f"There is no parameter “{shorten(str(unknown[0]), 40)}”. Parameters: {known}.")
    values: dict[str, Value | None] = {}
    for parameter in parameters:
        raw = given.get(parameter.name)
        if is_missing(raw):
            raw = parameter.default
        if is_missing(raw):
            if parameter.required:
                raise WrongParameterError(f"“{parameter.label}” is missing.")
            values[parameter.name] = None
        else:
            values[parameter.name] = parse_value(parameter, raw, offered(parameter))
    return values


def is_missing(raw: Any) -> bool:
    """Whether nothing was given. Text of spaces alone is nothing."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def parse_value(parameter: ActionParameter, raw: Any, offered: Sequence[Offer] = ()) -> Value:
    """Return a value as its type has it. Text is taken from a form as it was typed. Raises WrongParameterError."""
    try:
        match parameter.type:
            case ParameterType.TEXT:
                return _text(parameter, raw)
            case ParameterType.INTEGER:
                return int(_within(parameter, _number(raw, whole_number=True)))
            case ParameterType.NUMBER:
                return _within(parameter, _number(raw))
            case ParameterType.BOOLEAN:
                return _boolean(raw)
            case ParameterType.DURATION:
                return int(_within(parameter, _seconds(raw), " seconds"))
            case ParameterType.CHOICE:
                return _choice(raw, offered)
    except ValueError as error:
        raise WrongParameterError(f"“{parameter.label}” {error}.") from None


def masked(parameters: Iterable[ActionParameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they may be shown."""
    secret = {parameter.name for parameter in parameters if parameter.secret}
    return {name: "•••" if name in secret and value is not None else value for name, value in values.items()}


def _text(parameter: ActionParameter, raw: Any) -> str:
    text = plain_text(raw) if not isinstance(raw, str) else raw
    allowed = "\n\t" if parameter.multiline else "\t"
    text = text.replace("\r\n", "\n").strip("\n") if parameter.multiline else text.strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text):
        raise ValueError("has line breaks or control characters, which it may not have")
    least, most = parameter.min or 0, min(parameter.max or MAX_TEXT, MAX_TEXT)
    if not least <= len(text) <= most:
        raise ValueError(f"has {len(text)} characters; from {least:g} to {most:g} are possible")
    if parameter.pattern and (len(text) > TEXT_LIMIT or not is_found(whole(parameter.pattern), text)):
        raise ValueError(f"does not have the form that is wanted{_hint(parameter)}")
    return text


def _hint(parameter: ActionParameter) -> str:
    return f" ({parameter.description})" if parameter.description else f": {parameter.pattern}"


def _number(raw: Any, *, whole_number: bool = False) -> float:
    what = "a whole number such as 5" if whole_number else "a number such as 2.5"
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError(f"must be {what}")  # noqa: TRY004  # said to the user like every other misfit
    try:
        number = float(raw.strip().replace(",", ".") if isinstance(raw, str) else raw)
    except (ValueError, OverflowError):
        raise ValueError(f"must be {what}") from None
    if not math.isfinite(number) or abs(number) > _LARGEST or (whole_number and not number.is_integer()):
        raise ValueError(f"must be {what}")
    return number


def _within(parameter: ActionParameter, number: float, unit: str = "") -> float:
    if parameter.min is not None and number < parameter.min:
        raise ValueError(f"must be at least {parameter.min:g}{unit}")
    if parameter.max is not None and number > parameter.max:
        raise ValueError(f"must be at most {parameter.max:g}{unit}")
    return number


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError("must be yes or no")


def _seconds(raw: Any) -> float:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return _number(raw)
    match = _DURATION.fullmatch(str(raw).strip())
    if match is None or not any(match.groups()):
        raise ValueError("must be a length of time such as 90s, 15m or 1h30m")
    return float(sum(int(part or 0) * unit for part, unit in zip(match.groups(), _DURATION_UNITS, strict=True)))


def _choice(raw: Any, offered: Sequence[Offer]) -> str:
    text = plain_text(raw)
    for offer in offered:
        if offer.value == text:
            return text
    for offer in offered:
        if text.casefold().strip() in (offer.value.casefold(), offer.label.casefold()):
            return offer.value
    if not offered:
        raise ValueError("cannot be chosen right now: its data source has given no choices yet")
    some = ", ".join(offer.label for offer in offered[:10])
    raise ValueError(f"must be one of: {some}{' …' if len(offered) > 10 else ''}")  # as many as above


def unknown_parameters(config: Mapping[str, Any]) -> list[str]:
    """Names in `${params.x}` that are no parameters of the action."""
    parameters = config.get("parameters")
    known = {one.get("name") for one in parameters if isinstance(one, Mapping)} if isinstance(parameters, list) else ()
    named = (path.partition(".") for path in _all_placeholders(config))
    return sorted({name for root, _, name in named if root == PARAMS and name not in known})


def _all_placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _all_placeholders(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _all_placeholders(entry)
    else:
        yield from placeholders_in(value)
