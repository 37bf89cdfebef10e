"""What CEL lacks and mappings need: written as `list.sum()` or `text.replace('/', '')`, as CEL's own extensions are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def total(numbers: Sequence[float]) -> float:
    """All numbers of a list together; 0 for none. Raises TypeError for what is no number."""
    return math.fsum(numbers)


def replace(text: str, old: str, new: str) -> str:
    """Return the text with every `old` replaced by `new`."""
    return text.replace(old, new)


def join(texts: Sequence[str], separator: str = ", ") -> str:
    """Return the texts of a list as one. Raises TypeError for what is no text."""
    return separator.join(texts)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"sum": total, "replace": replace, "join": join}
"""By the name that expressions use."""
