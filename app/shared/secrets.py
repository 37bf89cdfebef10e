"""Secrets at rest: sealed with a key that stands outside the database."""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from app.shared.private_files import read_or_create

KEY_FILE = "secret.key"


class SecretError(Exception):
    """Base of the errors of this module; the text holds no secret and may be shown as it stands."""


class InvalidKeyError(SecretError):
    """The key is not one: wrong length or characters."""


class WrongKeyError(SecretError):
    """The secret was sealed with another key, or its bytes are damaged."""


class KeyFileError(SecretError):
    """The key's file can be neither read nor made."""


class SecretBox:
    """Seals and opens secrets with one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key.strip())
        except ValueError:
            raise InvalidKeyError(
                "The key for secrets (HOMELAB_SECRET_KEY or the file secret.key) is not valid: it needs 32 bytes in "
                "URL-safe base64, 44 characters. Unset HOMELAB_SECRET_KEY to have one made."
            ) from None

    def __repr__(self) -> str:
        return "SecretBox()"

    def seal(self, secret: str) -> bytes:
        """Return the secret as bytes for the database."""
        return self._fernet.encrypt(secret.encode())

    def open(self, ciphertext: bytes) -> str:
        """Return the secret again. Raises WrongKeyError."""
        try:
            return self._fernet.decrypt(bytes(ciphertext)).decode()
        except InvalidToken:
            raise WrongKeyError(
                "This secret was sealed with another key. Put back the key it was sealed with (HOMELAB_SECRET_KEY or "
                "the file secret.key in the data folder), or enter the secret again in the web admin."
            ) from None


def open_secret_box(data_dir: Path, key: str | None = None) -> SecretBox:
    """Return the box with `key` (HOMELAB_SECRET_KEY), or with the one in the data folder, made at first (mode 0600).

    Raises InvalidKeyError or KeyFileError.
    """
    if key is not None:
        return SecretBox(key)
    file = data_dir / KEY_FILE
    try:
        return SecretBox(read_or_create(file, lambda: Fernet.generate_key().decode()))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"Cannot keep the key for secrets in {file}: {getattr(error, 'strerror', None) or error}. Give this user "
            "access to the file, choose another folder with HOMELAB_DATA_DIR, or set HOMELAB_SECRET_KEY."
        ) from error
