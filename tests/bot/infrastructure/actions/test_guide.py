"""The worked example of docs/add-an-action-type.md, run as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.bot.infrastructure.actions import action_types

GUIDE = Path(__file__).parents[4] / "docs" / "add-an-action-type.md"
ACTION, TEST = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
TESTS = re.findall(r"^async def (test_\w+)", TEST, re.MULTILINE)


def execute(name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)  # pydantic looks up annotations there
    exec(compile(code, str(GUIDE), "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def udp_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's action type, registered while a test runs."""
    others = {name: known for name, known in action_types.items() if name != "udp_message"}  # as before the guide
    monkeypatch.setattr(action_types, "_implementations", others)
    execute("guide_udp_message", ACTION, monkeypatch)


@pytest.mark.parametrize("name", TESTS)
async def test_the_guides_own_tests_pass(name: str, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    test: Callable[..., Any] = getattr(execute("guide_test_udp_message", TEST, monkeypatch), name)
    await test(run)


def test_the_example_describes_itself() -> None:
    assert len(TESTS) == 2
    model = action_types["udp_message"]
    assert model.model_config.get("title") == "UDP message"
    assert all(field["description"] for field in model.model_json_schema()["properties"].values())
    example = re.search(r"'udp_message', '(.*?)'", GUIDE.read_text(encoding="utf-8"))
    assert example
    described = model.model_validate_json(example[1]).describe()
    assert described == "Sends “on” to 192.168.1.20, port 4210."
