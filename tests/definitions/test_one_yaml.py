"""One text means the same in a file of definitions, in a form, in the catalog and in the gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.definitions import catalog
from app.definitions.files.documents import read_document, read_files
from app.gallery import gallery
from app.shared.yaml import read_typed_yaml

MEANINGS: dict[str, Any] = {
    "1e3": 1000.0,
    ".5": 0.5,
    "5.": 5.0,
    "+1": 1,
    "007": 7,
    "0x10": 16,
    "0o17": 15,
    "0b11": "0b11",
    "1_000": "1_000",
    ".inf": float("inf"),
    "null": None,
    "NULL": None,
    "~": None,
    "": None,
    "true": True,
    "True": True,
    "FALSE": False,
    "on": "on",
    "no": "no",
    "Yes": "Yes",
    "12:30": "12:30",
    "2026-01-31": "2026-01-31",
    "=": "=",
    "'5'": "5",
    "!!str 5": "5",
    "[a:b, <<]": ["a:b", "<<"],
}


def in_a_file(folder: Path) -> Any:
    (document,) = read_files([folder / "1.yaml"], {})
    return document.root.data()


def in_a_form(folder: Path) -> Any:
    return read_typed_yaml((folder / "1.yaml").read_text(encoding="utf-8"))


def in_the_catalog(folder: Path) -> Any:
    (text,) = catalog.texts(folder).values()
    return read_document(text, "1.yaml").root.data()


def in_the_gallery(folder: Path) -> Any:
    return gallery(folder=folder)


@pytest.mark.parametrize("read", [in_a_file, in_a_form, in_the_catalog, in_the_gallery])
@pytest.mark.parametrize(("text", "meaning"), MEANINGS.items())
def test_a_text_means_the_same_everywhere(text: str, meaning: Any, read: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text(f"data_sources:\n  - value: {text}\n", encoding="utf-8")
    found = read(tmp_path)["data_sources"][0]["value"]
    assert (found, type(found)) == (meaning, type(meaning))
