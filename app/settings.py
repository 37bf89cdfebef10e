"""Bootstrap settings from the environment: what is needed before the database can be read. Everything else is rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HOMELAB_"
_UNPREFIXED = ("DATABASE_URL", "DISCORD_TOKEN")
_ROOT_DATA_DIR = Path("/var/lib/homelab")

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]
LogFormat = Annotated[
    Literal["console", "json"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]


class SettingsError(Exception):
    """An environment variable is wrong; each line names one, and says what to set. No line holds a secret."""


def default_data_dir() -> Path:
    """Where data is kept unless HOMELAB_DATA_DIR says otherwise: the user's data folder, or a system one for root."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return _ROOT_DATA_DIR
    return Path(platformdirs.user_data_dir("homelab", appauthor=False))


class Settings(BaseSettings):
    """Read from the environment; keyword arguments win over it. An empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="postgresql://user:password@host:5432/database, the owner's address; unset: the embedded server",
    )
    bot_database_url: SecretStr | None = Field(
        None, description="postgresql://homelab_bot:password@host:5432/database; unset: made from DATABASE_URL"
    )
    discord_token: SecretStr | None = Field(
        None,
        validation_alias="DISCORD_TOKEN",
        description="the bot's token; unset: the one in the web admin, or the demo",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, description="a folder for the embedded database and the keys"
    )
    secret_key: SecretStr | None = Field(
        None, description="44 characters, 32 bytes in URL-safe base64; unset: the file secret.key in the data folder"
    )
    web_host: str = Field(
        "127.0.0.1", min_length=1, description="the address the web admin listens on; 0.0.0.0 for all"
    )
    web_port: int = Field(8080, ge=1, le=65_535, description="a port number from 1 to 65535")
    demo_port: int = Field(8081, ge=1, le=65_535, description="a port number from 1 to 65535")
    public_url: str | None = Field(
        None, description="how browsers reach the web admin, like https://homelab.example.org; unset: host and port"
    )
    log_level: LogLevel = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: LogFormat = Field("console", description="console or json")

    @field_validator("database_url", "bot_database_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _readable(value.get_secret_value(), ("postgresql", "postgres")):
            raise ValueError("this is no PostgreSQL address (special characters in a password are written like %40)")
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        from app.shared.secrets import InvalidKeyError, SecretBox

        if value is not None:
            try:
                SecretBox(value.get_secret_value())
            except InvalidKeyError:
                raise ValueError("this is no key") from None
        return value

    @field_validator("discord_token")
    @classmethod
    def _is_one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        token = value.get_secret_value().strip()
        if any(character.isspace() for character in token) or not token.isascii():
            raise ValueError("a token is one word of plain letters, digits, dots, hyphens and underscores")
        return SecretStr(token)

    @field_validator("public_url")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        if value is not None and not (_readable(value, ("http", "https")) and urlsplit(value).hostname):
            raise ValueError("this is no web address")
        return value.rstrip("/") if value else None

    @field_validator("data_dir")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _ports_differ(self) -> Settings:
        if self.web_port == self.demo_port:
            raise ValueError(f"{PREFIX}WEB_PORT and {PREFIX}DEMO_PORT are the same port. Set one of them to another")
        return self

    @property
    def web_url(self) -> str:
        """Where a browser finds the web admin, without a slash at the end."""
        if self.public_url is not None:
            return self.public_url
        host = "127.0.0.1" if self.web_host in ("0.0.0.0", "::") else self.web_host  # noqa: S104  # compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.web_port}"


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this environment; `overrides` by field name win. Raises SettingsError."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_explain(problem["loc"], problem["msg"]) for problem in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


def variable_name(field: str) -> str:
    """Return the environment variable of a field."""
    name = field.upper()
    return name if name in _UNPREFIXED else PREFIX + name.removeprefix(PREFIX)


def _explain(location: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ").rstrip(".")
    if not location:
        return f"{reason}."
    name = variable_name(str(location[0]))
    field = Settings.model_fields[name.removeprefix(PREFIX).lower()]
    return f"{name} is wrong: {reason[0].lower()}{reason[1:]}. Set it to {field.description}."


def _readable(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url.strip())
        several_hosts = "," in parts.netloc
        return parts.scheme.split("+")[0] in schemes and "://" in url and (several_hosts or parts.port != 0)
    except ValueError:
        return False
