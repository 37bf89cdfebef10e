"""How often states are written."""

from __future__ import annotations

from typing import Any, cast

import pytest

from app.bot.application.collecting.source_states import StateWriter


@pytest.mark.parametrize(("seconds", "pauses"), [(1.0, [2.0, 4.0, 8.0]), (20.0, [30.0, 30.0]), (12.0, [24.0, 30.0])])
def test_pauses_of_an_outage_have_a_bound(seconds: float, pauses: list[float]) -> None:
    writer = StateWriter(cast(Any, None))
    writer.write_every(seconds)
    assert [writer._backoff.next() for _ in pauses] == pauses
