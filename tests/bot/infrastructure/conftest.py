from __future__ import annotations

from tests.fake_programs import programs

__all__ = ["programs"]
