"""A registry is a dict with a decorator that refuses duplicates."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from app.bot.domain.errors import DuplicateTypeError, UnknownTypeError

Implementation = TypeVar("Implementation")
Registered = TypeVar("Registered")


class Registry(Generic[Implementation]):
    """Implementations by type name. `kind` names what is registered, in the words of an error message."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._implementations: dict[str, Implementation] = {}

    def register(self, name: str) -> Callable[[Registered], Registered]:
        """Class decorator that makes an implementation known under `name`; raises DuplicateTypeError."""

        def add(implementation: Registered) -> Registered:
            if name in self._implementations:
                raise DuplicateTypeError(f"The {self.kind} “{name}” is registered twice")
            self._implementations[name] = implementation  # type: ignore[assignment]  # keeps the class's own type for callers
            return implementation

        return add

    def __getitem__(self, name: str) -> Implementation:
        try:
            return self._implementations[name]
        except KeyError:
            known = ", ".join(sorted(self._implementations)) or "none"
            raise UnknownTypeError(f"Unknown {self.kind} “{name}”. Known: {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._implementations

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._implementations))

    def __len__(self) -> int:
        return len(self._implementations)

    def items(self) -> Iterator[tuple[str, Implementation]]:
        """Names and implementations, by name."""
        return iter(sorted(self._implementations.items()))


def import_modules(package: str) -> None:
    """Import every module of a package and of its packages, so that the types in them register themselves."""
    for found in pkgutil.walk_packages(sys.modules[package].__path__, f"{package}."):
        importlib.import_module(found.name)
