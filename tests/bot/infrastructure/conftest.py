from __future__ import annotations

from tests.support.fake_programs import programs

__all__ = ["programs"]
