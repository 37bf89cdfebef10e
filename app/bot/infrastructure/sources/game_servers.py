"""What game servers of all kinds tell, in the same form: a table `servers` with one row, and who is on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading

_TEXT_CHARACTERS = 200


def plain(text: object) -> str:
    """Return a text of a server in one line, not too long."""
    return shorten(one_line("".join(one for one in str(text) if one.isprintable() or one.isspace())), _TEXT_CHARACTERS)


def reading(
    server: Mapping[str, Any], latency: float, players: Iterable[Mapping[str, Any]], names: Sequence[str]
) -> Reading:
    """Return the reading of a server; `names` are the patterns of players whose names may be shown."""
    online, maximum = server["players"], server["maximum"]
    metrics = (
        Metric("players", None if online is None else float(online), "count"),
        Metric("players.max", None if maximum is None else float(maximum), "count"),
        Metric("latency", latency, "seconds"),
    )
    shown = [dict(one) for one in players if one["name"] and any(fnmatchcase(one["name"], name) for name in names)]
    tables = {"servers": [{**server, "status": "up"}], "players": shown[:MAX_ITEMS]}
    return Reading(datetime.now(UTC), metrics=metrics, items=tables)
