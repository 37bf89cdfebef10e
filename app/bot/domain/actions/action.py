"""An action: something a user may do, defined by a row. A call is an action with values for its parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_ACTION_NAME = 64
_DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """A row of actions; buttons name it by `name`."""

    id: int
    name: str
    type: str
    title: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The title, or the name where no title is set."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class ActionCall:
    """An action with values of parameters that are set beforehand, as a button has them."""

    action: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What stands for the call in a custom_id: the action's name, with a digest of the values if there are any.

        It only says which of a component's calls is meant; the values are never read from it.
        """
        if not self.parameters:
            return self.action
        content = json.dumps(self.parameters, sort_keys=True, default=str)
        digest = hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
        return f"{self.action}#{digest}"


class ButtonCall(NamedTuple):
    """The call behind a button, or behind a choice of a drop-down."""

    call: ActionCall
    is_choice: bool = False
