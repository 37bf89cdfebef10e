"""`python -m bench [NAME ...]`: run all benchmarks, or those named."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import building, charts, collecting, history, live, publishing

BENCHMARKS: dict[str, Callable[[], Awaitable[None]]] = {
    "building": building.run,
    "charts": charts.run,
    "collecting": collecting.run,
    "history": history.run,
    "live": live.run,
    "publishing": publishing.run,
}


def main() -> int:
    """Run the benchmarks named on the command line, all of them where none is."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names:
        print(f"\n== {name}", flush=True)
        asyncio.run(BENCHMARKS[name]())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
