"""The messages of the local Discord."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.discord.limits import RefusedError, json_answer

DISCORD_EPOCH = 1_420_070_400.0
"""2015-01-01, the zero of snowflakes."""

_numbers = itertools.count(1)


def snowflake(at: float) -> int:
    """An id made at this Unix time."""
    return int((at - DISCORD_EPOCH) * 1000) << 22 | next(_numbers) % (1 << 22)


def made_at(snowflake_id: int) -> float:
    """The Unix time in an id."""
    return (snowflake_id >> 22) / 1000 + DISCORD_EPOCH


def refusal(status: int, code: int, message: str) -> RefusedError:
    """An error as Discord answers it."""
    return RefusedError(json_answer({"code": code, "message": message}, status=status))


@dataclass(slots=True)
class Channel:
    """A text channel; `refuses` is the status, code and message with which every request there is answered."""

    id: int
    name: str
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    refuses: tuple[int, int, str] | None = None

    def post(self, body: Mapping[str, Any], author: Mapping[str, Any], age_seconds: float = 0.0) -> dict[str, Any]:
        """A new message, or the one that was made with the same enforced nonce."""
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce") and nonce in self.nonces:
            known = self.messages.get(self.nonces[nonce])
            if known is not None:
                return known
        message_id = snowflake(time.time() - age_seconds)
        message = {
            "id": str(message_id),
            "type": 0,
            "channel_id": str(self.id),
            "author": dict(author),
            "content": body.get("content", ""),
            "components": body.get("components", []),
            "flags": body.get("flags", 0),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(made_at(message_id))),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
        }
        self.messages[message_id] = message
        if nonce is not None:
            self.nonces[nonce] = message_id
        return message

    def get(self, message_id: int) -> dict[str, Any]:
        """A message. Raises Discord's answer where there is none."""
        if message_id not in self.messages:
            raise refusal(404, 10008, "Unknown Message")
        return self.messages[message_id]

    def newest(self, limit: int, before: int | None = None, after: int | None = None) -> list[dict[str, Any]]:
        """Messages, newest first."""
        ids = sorted(self.messages, reverse=True)
        wanted = [each for each in ids if (before is None or each < before) and (after is None or each > after)]
        return [self.messages[each] for each in wanted[:limit]]
