"""The guide's example is run as it stands, so that it stays true."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from app.bot.domain.components.component import component_types
from app.shared.yaml import read_yaml

GUIDE = Path(__file__).parents[5] / "docs" / "add-a-component-type.md"
COMPONENT, TEST = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
TESTS = re.findall(r"^def (test_\w+)", TEST, re.MULTILINE)


def run(name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)  # pydantic looks up annotations there
    exec(compile(code, str(GUIDE), "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def deadline(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The guide's component type, registered while a test runs."""
    others = {name: known for name, known in component_types.items() if name != "deadline"}  # as before the guide
    monkeypatch.setattr(component_types, "_implementations", others)
    return run("guide_deadline", COMPONENT, monkeypatch)


def test_the_guide_has_tests() -> None:
    assert len(TESTS) == 2


@pytest.mark.parametrize("name", TESTS)
def test_the_guides_own_tests_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test: Callable[[], None] = getattr(run("guide_test_deadline", TEST, monkeypatch), name)
    test()


def test_the_example_describes_itself() -> None:
    schema = component_types["deadline"].model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(field["description"] for field in schema["properties"].values())
    example = re.search(r"'deadline', 90, '(.*?)'", GUIDE.read_text(encoding="utf-8"))
    assert example
    component_types["deadline"].model_validate_json(example[1])


def test_the_example_of_the_gallery_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (part,) = read_yaml(example, "the guide").data()
    component_types[part["type"]].model_validate(part["config"])


def test_what_the_guide_names_exists() -> None:
    root = GUIDE.parents[1]
    named = re.findall(r"`((?:app|tests)/[\w/]+\.py)`", GUIDE.read_text(encoding="utf-8"))
    assert [path for path in named if "deadline" not in path and not (root / path).exists()] == []
