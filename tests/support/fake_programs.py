"""Programs that print what the real ones were recorded to print, where a test cannot have the real ones."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest


class FakePrograms:
    """A folder in front of PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(self, name: str, script: str) -> None:
        """A program of this name that is a script; the script begins with #!."""
        file = self._folder / name
        file.write_text(script)
        file.chmod(0o755)

    def prints(self, name: str, answers: dict[str, str], code: int = 0) -> None:
        """A program that prints the answer to its arguments, and complains of all others."""
        lines = ["#!/bin/sh", 'case "$*" in']
        for number, (arguments, answer) in enumerate(answers.items()):
            file = self._folder / f"{name}-{number}.txt"
            file.write_text(answer)
            lines.append(f"{shlex.quote(arguments)}) cat {shlex.quote(str(file))}; exit {code};;")
        lines += ["esac", f'echo "{name}: unrecognized arguments: $*" >&2', "exit 2"]
        self.put(name, "\n".join(lines) + "\n")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    return FakePrograms(tmp_path / "programs", monkeypatch)
