from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.shared.secrets import InvalidKeyError, KeyFileError, SecretBox, WrongKeyError, open_secret_box


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_what_is_sealed_opens_again_and_is_not_readable_before() -> None:
    box = SecretBox(new_key())
    sealed = box.seal("swördfish")
    assert b"sw" not in sealed
    assert box.open(sealed) == "swördfish"
    assert box.open(memoryview(sealed)) == "swördfish"  # type: ignore[arg-type]  # some drivers give bytea so


def test_another_key_is_a_clear_error_without_the_secret() -> None:
    sealed = SecretBox(new_key()).seal("swordfish")
    with pytest.raises(WrongKeyError, match="sealed with another key") as caught:
        SecretBox(new_key()).open(sealed)
    assert "swordfish" not in str(caught.value)


def test_damaged_bytes_are_a_clear_error() -> None:
    with pytest.raises(WrongKeyError):
        SecretBox(new_key()).open(b"nonsense")


@pytest.mark.parametrize("key", ["", "short", "ü" * 44])
def test_a_key_that_is_none_is_named(key: str) -> None:
    with pytest.raises(InvalidKeyError, match="HOMELAB_SECRET_KEY") as caught:
        SecretBox(key)
    assert not key or key not in str(caught.value)


def test_the_key_does_not_show_in_text() -> None:
    key = new_key()
    assert key not in repr(SecretBox(key))


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    sealed = open_secret_box(tmp_path / "data").seal("swordfish")
    file = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert open_secret_box(tmp_path / "data").open(sealed) == "swordfish"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_all_who_make_the_key_file_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        boxes = list(threads.map(lambda _: open_secret_box(tmp_path), range(8)))
    sealed = boxes[0].seal("swordfish")
    assert {box.open(sealed) for box in boxes} == {"swordfish"}


def test_a_given_key_needs_no_file(tmp_path: Path) -> None:
    open_secret_box(tmp_path / "data", new_key())
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyFileError, match="HOMELAB_DATA_DIR") as caught:
        open_secret_box(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_a_key_file_with_something_else_in_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("not a key")
    with pytest.raises(InvalidKeyError, match=r"secret\.key"):
        open_secret_box(tmp_path)
