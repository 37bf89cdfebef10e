"""Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.sources.base import SourceFailedError

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MOST_SAMPLES = 20_000
"""Samples parsed of one document. Only the wanted ones count."""
_BEGINNING_CHARACTERS = 60
_LABEL_CHARACTERS = 200
_UNITS = {
    "bytes": "bytes",
    "seconds": "seconds",
    "celsius": "celsius",
    "ratio": "ratio",
    "percent": "percent",
    "volts": "volt",
    "amperes": "ampere",
    "watts": "watt",
    "hertz": "hertz",
}
"""What a name ends with, by convention, and what we call it: https://prometheus.io/docs/practices/naming/"""
_COUNTING = ("_total", "_count", "_sum", "_bucket")


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of an exporter; None for NaN and infinities."""

    name: str
    labels: Mapping[str, str]
    value: float | None
    counter: bool

    @property
    def unit(self) -> str:
        """What its name says, such as bytes."""
        name = self.name.removesuffix("_total").removesuffix("_sum")
        return _UNITS.get(name.rpartition("_")[2], "")


def parse(text: str, wanted: Callable[[str], bool]) -> list[Sample]:
    """Return the samples with a wanted name. Raises SourceFailedError for what is not this format."""
    from prometheus_client.parser import text_string_to_metric_families

    samples: list[Sample] = []
    try:
        for family in text_string_to_metric_families("\n".join(_lines(text, wanted)) + "\n"):
            for sample in family.samples:
                counter = family.type == "counter" or (
                    family.type in ("histogram", "summary", "unknown", "untyped") and sample.name.endswith(_COUNTING)
                )
                labels = {name: shorten(value, _LABEL_CHARACTERS) for name, value in sample.labels.items()}
                value = float(sample.value)
                samples.append(Sample(sample.name, labels, value if math.isfinite(value) else None, counter))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SourceFailedError("A line of the metrics cannot be read: is this Prometheus' text format?") from None
    return samples


def _lines(text: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Yield what is worth parsing: a parser in Python takes its time, and of thousands of lines a few are wanted."""
    is_wanted = functools.cache(wanted)
    kind, kept, known = "", 0, False
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            kind, known = line, True
            continue
        name = _NAME.match(line)
        if name is None:
            continue
        known = known or _is_sample(line, name.end())
        if not is_wanted(name[0]):
            continue
        if kept == _MOST_SAMPLES:
            raise SourceFailedError(f"More than {_MOST_SAMPLES:,} samples are wanted: choose fewer")
        kept += 1
        if kind:
            yield kind
            kind = ""
        yield line
    if not known:
        beginning = shorten(one_line(text[:1_000]), _BEGINNING_CHARACTERS)
        told = f"it begins with “{beginning}”" if beginning else "the answer is empty"
        raise SourceFailedError(f"Not Prometheus' text format: {told}")


def _is_sample(line: str, end: int) -> bool:
    if line[end : end + 1] == "{":
        return "}" in line
    try:
        float(line[end:].split(maxsplit=1)[0])
    except (ValueError, IndexError):
        return False
    return True
