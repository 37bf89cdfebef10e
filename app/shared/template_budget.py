"""What one rendering of a template may cost, counted while it runs: no thread or signal is needed to end it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_WORK_BETWEEN_CLOCK_READS = 32
_SIZE_OF_A_STEP = 100
CALL_WEIGHT = 8
"""A function or filter can go through a whole list at once."""
_INTEGER_BITS = 512
"""Far more than any reading has; arithmetic on longer numbers is an attempt to keep the program busy."""

_FORMAT_SPECIFICATION = re.compile(r"%(?:\([^)]*\))?[#0 +-]*(\*|\d*)(?:\.(\*|\d*))?")
_FORMAT_WIDTH = 200


class TemplateError(Exception):
    """A template is wrong; the text says in which line, and what to do."""


class TemplateLimitError(TemplateError):
    """A template asked for more than it may have."""


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """How much a template may cost. `seconds` is computing time of the thread: waiting for others does not count."""

    seconds: float = 0.02
    output: int = 4_000
    """Characters, as many as Discord shows in one message."""
    source: int = 10_000
    """Characters of the template itself."""
    steps: int = 20_000
    """Turns of loops, calls and filters."""
    made: int = 200_000
    """Characters of text and elements of lists that its expressions make on the way."""


class Budget:
    """The limits of one rendering, and what is used of them. Spent, every method raises TemplateLimitError."""

    def __init__(self, limits: TemplateLimits, clock: Callable[[], float], names: Collection[str]) -> None:
        self.limits = limits
        self.names = names
        self._clock = clock
        self._deadline: float | None = None
        self._steps = 0
        self._since_clock = 0
        self._made = 0

    def step(self, weight: int = 1) -> None:
        """Count one turn of a loop, or a call that may take as long as `weight` turns.

        The clock is read now and then only: for most templates, which are short, asking it would be the larger work.
        """
        self._steps += 1
        self._since_clock += weight
        if self._steps > self.limits.steps:
            raise TemplateLimitError(
                f"the template takes more than {self.limits.steps:,} steps. Shorten its loops, or loop over less"
            )
        if self._since_clock >= _WORK_BETWEEN_CLOCK_READS:
            self._check_time()

    def _check_time(self) -> None:
        self._since_clock = 0
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self.limits.seconds
        elif now > self._deadline:
            raise TemplateLimitError(
                f"the template needs more than {self.limits.seconds * 1000:.0f} ms of computing time. "
                "Do less in it, or let the data source prepare the values"
            )

    def counted(self, values: Iterable[Any] | None) -> Iterator[Any]:
        """Yield the values one by one, each a step; a missing list has none."""
        for value in () if values is None else values:
            self.step()
            yield value

    def charge(self, size: int) -> None:
        """Count characters or elements that are about to be made."""
        self._made += size
        self._since_clock += size // _SIZE_OF_A_STEP
        if self._made > self.limits.made:
            raise TemplateLimitError(
                f"the template makes more than {self.limits.made:,} characters or list elements on the way. "
                "Repeat less, and join shorter texts"
            )
        if self._since_clock >= _WORK_BETWEEN_CLOCK_READS:
            self._check_time()

    def made(self, value: Any) -> Any:
        """Count a result by its size, and hand it on; what is produced bit by bit is counted when it is taken."""
        if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)):
            self.charge(len(value))
        elif isinstance(value, int):
            self.check_bits(value.bit_length())
        elif hasattr(type(value), "__next__"):
            return self.counted(value)
        return value

    def held(self, value: Any) -> Any:
        """Count a result by all that it contains, and hand it on.

        A list that holds another one twice takes no memory for that, but all time when it is printed or compared.
        """
        self.charge(self._size(value))
        return value

    def _size(self, value: Any) -> int:
        """How many elements there are in a value at any depth; counting ends where the limit is reached."""
        size, waiting = 0, [value]
        while waiting and size <= self.limits.made:
            one = waiting.pop()
            if isinstance(one, dict):
                size += len(one)
                waiting.extend(one.values())
            elif isinstance(one, (list, tuple, set, frozenset)):
                size += len(one)
                waiting.extend(one)
        return size

    def check_bits(self, bits: int) -> None:
        """Refuse whole numbers of absurd length."""
        if bits > _INTEGER_BITS:
            raise TemplateLimitError(
                "the template calculates with a number of more than 150 digits. Use smaller numbers"
            )

    def check_operation(self, operator: str, left: Any, right: Any) -> None:
        """Refuse an operation whose result would be too large, before it is made."""
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, (str, bytes, list, tuple)) and isinstance(other, int):
                    self.charge((len(one) if isinstance(one, (str, bytes)) else self._size(one)) * max(other, 0))
            if isinstance(left, int) and isinstance(right, int):
                self.check_bits(left.bit_length() + right.bit_length())
        elif operator == "**":
            if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
                raise TemplateError("** works with numbers only")
            if isinstance(left, int) and isinstance(right, int):
                self.check_bits(left.bit_length() * abs(right))
        elif operator == "+":
            self.charge(self._size(left) + self._size(right))

    def check_format(self, template: str) -> None:
        """Refuse printf-style widths and precisions that fill a text with blanks."""
        for match in _FORMAT_SPECIFICATION.finditer(template):
            for number in match.groups():
                if number == "*" or (number and (len(number) > 4 or int(number) > _FORMAT_WIDTH)):
                    raise TemplateLimitError(
                        f"a width or precision in a format is at most {_FORMAT_WIDTH}; use a smaller one"
                    )
