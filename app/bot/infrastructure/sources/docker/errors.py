"""What can go wrong with an engine."""

from __future__ import annotations

from app.bot.domain.errors import HomelabError


class EngineError(HomelabError):
    """The engine did not do or say what it was asked; the text is the reason, for users."""


class EngineRefusedError(EngineError):
    """The engine answered with a refusal. `status` is its HTTP status: 404 for what does not exist, 409 a conflict."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
