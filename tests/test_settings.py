from __future__ import annotations

from pathlib import Path

import pytest

from app import settings as module
from app.settings import Settings, SettingsError, default_data_dir, load_settings, variable_name


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_name(field), raising=False)


def test_defaults_need_no_variable() -> None:
    settings = load_settings()
    assert (settings.web_host, settings.web_port, settings.demo_port) == ("127.0.0.1", 8080, 8081)
    assert (settings.log_level, settings.log_format) == ("INFO", "console")
    assert settings.database_url is None
    assert settings.discord_token is None
    assert settings.data_dir == default_data_dir()


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {
        "DATABASE_URL": "postgresql://owner:hush@db/homelab",
        "HOMELAB_BOT_DATABASE_URL": "postgresql://homelab_bot:hush@db/homelab",
        "DISCORD_TOKEN": " a.b.c ",
        "HOMELAB_DATA_DIR": str(tmp_path),
        "HOMELAB_SECRET_KEY": "A" * 43 + "=",
        "HOMELAB_WEB_HOST": "0.0.0.0",
        "HOMELAB_WEB_PORT": "9000",
        "HOMELAB_DEMO_PORT": "9001",
        "HOMELAB_PUBLIC_URL": "https://lab.example.org/",
        "HOMELAB_LOG_LEVEL": "debug",
        "HOMELAB_LOG_FORMAT": "JSON",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == values["DATABASE_URL"]
    assert settings.bot_database_url is not None
    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == "a.b.c"
    assert settings.data_dir == tmp_path
    assert settings.secret_key is not None
    assert (settings.web_port, settings.demo_port) == (9000, 9001)
    assert settings.web_url == "https://lab.example.org"
    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "")
    assert load_settings().discord_token is None


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMELAB_WEB_PORT", "9000")
    assert load_settings(web_port=9005).web_port == 9005


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("HOMELAB_WEB_PORT", "many", "a port number from 1 to 65535"),
        ("HOMELAB_DEMO_PORT", "70000", "a port number from 1 to 65535"),
        ("HOMELAB_LOG_FORMAT", "xml", "console or json"),
        ("HOMELAB_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
        ("HOMELAB_PUBLIC_URL", "lab.example.org", "https://homelab.example.org"),
        ("DATABASE_URL", "mysql://root:marlin@db/x", "postgresql://user:password@host:5432/database"),
        ("DATABASE_URL", "postgresql://root:mar#lin@db/x", "%40"),
        ("HOMELAB_BOT_DATABASE_URL", "marlin", "homelab_bot"),
        ("DISCORD_TOKEN", "marlin is", "one word"),
        ("HOMELAB_SECRET_KEY", "marlin", "44 characters"),
    ],
)
def test_a_wrong_variable_is_named_with_its_remedy_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert text.startswith(f"{variable} is wrong")
    assert remedy in text
    assert "mar" not in text
    assert caught.value.__cause__ is None


def test_every_wrong_variable_gets_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMELAB_WEB_PORT", "x")
    monkeypatch.setenv("HOMELAB_LOG_FORMAT", "x")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["HOMELAB_WEB_PORT", "HOMELAB_LOG_FORMAT"]


def test_the_two_pages_cannot_share_a_port() -> None:
    with pytest.raises(SettingsError, match="HOMELAB_WEB_PORT and HOMELAB_DEMO_PORT"):
        load_settings(web_port=9000, demo_port=9000)


def test_an_address_with_several_hosts_is_taken() -> None:
    assert load_settings(database_url="postgresql://u:p@one:1,two:2/homelab").database_url is not None


def test_secrets_do_not_show_in_text() -> None:
    settings = load_settings(discord_token="marlin", database_url="postgresql://u:marlin@db/x")
    assert "mar" not in f"{settings} {settings!r}"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("lab", "http://lab:8080"),
    ],
)
def test_web_url_follows_the_host(host: str, url: str) -> None:
    assert load_settings(web_host=host).web_url == url


def test_root_keeps_data_in_a_system_folder_and_others_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/homelab")
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)
    assert default_data_dir().name == "homelab"
    assert default_data_dir() != Path("/var/lib/homelab")
