"""One answer of Discord's HTTP interface: what pacing and the messenger read of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OLD_MESSAGE_EDITS = 30046
"""Too many edits of messages older than an hour (Discord's documentation, JSON error codes)."""

_WAIT_WITHOUT_NUMBER = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is the parsed JSON, or the text where it is none; `headers` is empty where no one saw them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return an answer from what came over the wire."""
        text = body.decode("utf-8", "replace")
        try:
            return cls(status, headers, json.loads(text) if text else None)
        except ValueError:
            return cls(status, headers, text)

    @property
    def ok(self) -> bool:
        """Whether the request was done."""
        return 200 <= self.status < 300

    @property
    def limited(self) -> bool:
        """Whether a rate limit refused the request."""
        return self.status == 429

    @property
    def code(self) -> int:
        """Discord's error code, 0 where there is none."""
        return int(self._field("code") or 0)

    @property
    def message(self) -> str:
        """Discord's words, with the fields that it refuses."""
        errors = self._field("errors")
        text = str(self._field("message") or f"status {self.status}")
        return f"{text}: {'; '.join(_field_errors(errors))}" if errors else text

    @property
    def retry_after(self) -> float:
        """Seconds to wait after an answer of 429."""
        for value in (self._field("retry_after"), self.headers.get("Retry-After")):
            try:
                return max(0.0, float(str(value)))
            except (TypeError, ValueError):
                continue
        return _WAIT_WITHOUT_NUMBER

    @property
    def limits_everything(self) -> bool:
        """Whether the limit of the whole bot was hit; an answer that is no JSON comes from Discord's own gatekeeper."""
        return self.limited and (bool(self._field("global")) or not isinstance(self.data, dict))

    @property
    def is_retried_below(self) -> bool:
        """Whether discord.py waits for the whole bot's limit and sends the request again by itself."""
        return self.limits_everything and isinstance(self.data, dict) and "Via" in self.headers

    def _field(self, name: str) -> Any:
        return self.data.get(name) if isinstance(self.data, dict) else None


def _field_errors(errors: Any, path: str = "") -> list[str]:
    """Discord's nested errors as “components.0.label: what is wrong”, at most a few."""
    if not isinstance(errors, dict):
        return []
    found = [f"{path}: {error.get('message', '')}" for error in errors.get("_errors", ()) if isinstance(error, dict)]
    for key, value in errors.items():
        if key != "_errors":
            found.extend(_field_errors(value, f"{path}.{key}" if path else str(key)))
    return found[:3]
