"""Discord's rate limits, enforced with its own headers and answers (documentation of rate limits; error code 30046)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


def json_answer(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as Discord sends it: its content type has no charset, and discord.py compares the whole."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests in how many seconds: by the whole bot, by a route in a channel, and edits of old messages."""

    global_requests: int = 50
    global_seconds: float = 1.0
    route_requests: int = 5
    route_seconds: float = 5.0
    old_edits: int = 3
    old_seconds: float = 20.0
    old_age_seconds: float = 3_600.0


@dataclass(slots=True)
class Bucket:
    """A fixed window that begins with its first request."""

    limit: int
    seconds: float
    remaining: int = 0
    resets_at: float = 0.0

    def take(self, now: float) -> bool:
        """Count a request; False where the window is used up."""
        if now >= self.resets_at:
            self.remaining, self.resets_at = self.limit, now + self.seconds
        if self.remaining == 0:
            return False
        self.remaining -= 1
        return True


class RefusedError(Exception):
    """A request that Discord answers with an error."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def limit_reached(scope: str, retry_after: float, code: int, headers: Mapping[str, str]) -> RefusedError:
    """An answer of 429, as Discord gives it."""
    body: dict[str, Any] = {"message": "You are being rate limited.", "retry_after": round(retry_after, 3)}
    body["global"] = scope == "global"
    if code:
        body |= {"code": code, "message": "Maximum number of edits to messages older than 1 hour reached."}
    all_headers = {
        **headers,
        "Via": "1.1 google",
        "Retry-After": str(int(retry_after) + 1),
        "X-RateLimit-Scope": scope,
    }
    if scope == "global":
        all_headers["X-RateLimit-Global"] = "true"
    return RefusedError(json_answer(body, status=429, headers=all_headers))


@dataclass(slots=True)
class Enforcer:
    """Counts requests and refuses those over a limit; remembers each refusal as (time, scope, code)."""

    limits: Limits | None
    refused: list[tuple[float, str, int]] = field(default_factory=list)
    _global: Bucket | None = None
    _routes: dict[tuple[str, int], Bucket] = field(default_factory=dict)
    _old: dict[int, Bucket] = field(default_factory=dict)

    def count(self, route: str | None, channel_id: int) -> dict[str, str]:
        """Count a request; returns the headers of its answer. `route` None has no bucket. Raises RefusedError."""
        if self.limits is None:
            return {}
        now = time.time()
        if self._global is None:
            self._global = Bucket(self.limits.global_requests, self.limits.global_seconds)
        if not self._global.take(now):
            raise self._refusal("global", self._global.resets_at - now)
        if route is None:
            return {}
        bucket = self._routes.setdefault(
            (route, channel_id), Bucket(self.limits.route_requests, self.limits.route_seconds)
        )
        taken = bucket.take(now)
        headers = {
            "X-RateLimit-Limit": str(bucket.limit),
            "X-RateLimit-Remaining": str(bucket.remaining),
            "X-RateLimit-Reset": f"{bucket.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{bucket.resets_at - now:.3f}",
            "X-RateLimit-Bucket": hashlib.md5(route.encode(), usedforsecurity=False).hexdigest(),
        }
        if not taken:
            raise self._refusal("user", bucket.resets_at - now, headers=headers)
        return headers

    def count_edit(self, channel_id: int, posted_at: float, headers: Mapping[str, str]) -> None:
        """Count an edit of a message posted at this time. Raises RefusedError."""
        now = time.time()
        if self.limits is None or now - posted_at < self.limits.old_age_seconds:
            return
        bucket = self._old.setdefault(channel_id, Bucket(self.limits.old_edits, self.limits.old_seconds))
        if not bucket.take(now):
            raise self._refusal("shared", bucket.resets_at - now, 30046, headers)

    def _refusal(
        self, scope: str, retry_after: float, code: int = 0, headers: Mapping[str, str] | None = None
    ) -> RefusedError:
        self.refused.append((time.monotonic(), scope, code))
        return limit_reached(scope, retry_after, code, headers or {})
