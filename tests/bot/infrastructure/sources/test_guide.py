"""The worked example of docs/add-a-data-source-type.md, run as it stands there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.bot.infrastructure import sources
from app.bot.infrastructure.sources import source_types

GUIDE = Path(__file__).parents[4] / "docs" / "add-a-data-source-type.md"


def load(name: str, code: str, folder: Path) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the registry as it was before someone followed the guide."""
    others = {name: known for name, known in source_types.items() if name != "folder"}
    monkeypatch.setattr(source_types, "_implementations", others)


async def test_the_example_works_as_written(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_example(monkeypatch)
    example, its_test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    load("folder", example, tmp_path)
    assert source_types["folder"].model_json_schema()["properties"]["path"]["description"]
    tests = {name: test for name, test in vars(load("test_folder", its_test, tmp_path)).items() if name[:5] == "test_"}
    assert len(tests) == 3
    for name, test in tests.items():
        folder = tmp_path / name
        folder.mkdir()
        await (test(read, folder) if "tmp_path" in test.__annotations__ else test(read))


async def test_a_folder_that_cannot_be_read_is_a_failure(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_example(monkeypatch)
    (example, _) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    load("folder", example, tmp_path)

    def denied(*_arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "glob", denied)
    with pytest.raises(sources.SourceFailedError, match="The folder cannot be read: Permission denied"):
        await read("folder", path=str(tmp_path))


def test_every_type_is_described_for_the_admin() -> None:
    assert {"bot", "host", "http_check", "http_json", "static"} <= set(source_types)
    for name, source_type in source_types.items():
        assert (source_type.__doc__ or "").strip(), name
        for field, schema in source_type.model_json_schema().get("properties", {}).items():
            assert schema.get("description"), f"{name}.{field}"
