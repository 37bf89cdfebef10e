"""A run of an action: who asked for it, how it went, and where its answer goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.bot.domain.guilds import Actor

TOKEN_SECONDS = 15 * 60
"""How long an interaction's token can be used (Discord's documentation, receiving and responding)."""

MAX_OUTPUT = 256 * 1024
"""Characters of output that are kept and sent."""


class RunState(StrEnum):
    """Where a run is. One that was asked waits for its user to confirm it."""

    ASKED = "asked"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    LOST = "lost"

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after it."""
        return self not in (RunState.ASKED, RunState.QUEUED, RunState.RUNNING)


class Origin(StrEnum):
    """Where a run was asked for."""

    BUTTON = "button"
    SELECT = "select"
    COMMAND = "command"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """The interaction whose answer shows how the run goes. Anyone who has the token can edit that answer.

    `message` is the id of the answer where it is not the first one.
    """

    application_id: int
    token: str = field(repr=False)
    message: str = "@original"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that someone asks for. `values` are checked; `shown` are those that may be shown.

    `key` is what runs are counted by, at most `concurrency` at once; `refusal` says why it is not allowed at all, and
    then it is only recorded.
    """

    action: str
    actor: Actor
    origin: Origin
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    shown: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    key: str = ""
    concurrency: int = 1
    cooldown_seconds: float = 0
    ask: bool = False
    refusal: str = ""
    reply: ReplyAddress | None = None


@dataclass(frozen=True, slots=True)
class ActionRun:
    """A row of action_runs."""

    id: int
    action: str
    state: RunState
    actor: Actor
    origin: Origin
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    shown: Mapping[str, Any] = field(default_factory=dict)
    unreadable: bool = False
    """Its secret values cannot be opened: the key for secrets is another one now."""
    dry_run: bool = False
    attempts: int = 0
    result: str = ""
    output: str = ""
    output_name: str = "output.txt"
    reply: ReplyAddress | None = None
    requested_at: datetime | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: a state that is over, and what is said of it."""

    state: RunState
    result: str
    output: str = ""
    output_name: str = "output.txt"
