from __future__ import annotations

import pytest

from app.bot.application.collecting.polling import pause_after


@pytest.mark.parametrize(
    ("interval", "failures", "pause"),
    [
        (30, 0, 30),
        (30, 1, 30),
        (30, 2, 60),
        (30, 4, 240),
        (30, 5, 300),
        (30, 1_000_000, 300),
        (600, 0, 600),
        (600, 9, 600),
    ],
)
def test_the_pause_doubles_to_five_minutes_and_never_undercuts_the_interval(
    interval: float, failures: int, pause: float
) -> None:
    assert pause_after(interval, failures) == pause
