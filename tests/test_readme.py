"""What the README promises is there: commands, variables, permissions, files."""

from __future__ import annotations

import re
import subprocess
from itertools import chain
from pathlib import Path

import discord
import pytest
import typer.main

from app.bot.infrastructure.discord.failures import NEEDED_PERMISSIONS
from app.bot.interface.client import intents
from app.cli.main import app
from app.settings import Settings, variable_name
from app.shared.database.core.connection import MINIMUM_VERSION

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_invitation_asks_for_what_is_needed_and_no_more() -> None:
    (asked,) = re.findall(r"permissions=(\d+)", README)
    permissions = discord.Permissions(int(asked))
    named = {name for name, granted in permissions if granted}
    assert {discord.Permissions(**{name: True}).value for name in NEEDED_PERMISSIONS} <= {
        discord.Permissions(**{name: True}).value for name in named
    }
    sentence = README.partition("The number stands for ")[2].partition(".")[0]
    said = {name.strip().lower().replace(" ", "_") for name in re.split(r",| and ", " ".join(sentence.split()))}
    flags = {"view_channel" if name == "view_channels" else name for name in said}  # Discord's screens say “Channels”
    spoken = discord.Permissions.none()
    spoken.update(**dict.fromkeys(flags, True))
    assert spoken == permissions


def test_no_intent_is_privileged() -> None:
    privileged = ("members", "presences", "message_content")
    assert not any(getattr(intents(), name) for name in privileged)
    assert "No privileged intent is needed" in " ".join(README.split())


def test_every_variable_is_described_and_every_described_one_exists() -> None:
    table = README.partition("## Settings")[2].partition("## ")[0]
    described = set(
        chain.from_iterable(re.findall(r"`([A-Z_]{6,})`", line) for line in table.splitlines() if "|" in line)
    )
    assert described - {"DEBUG", "ERROR"} == {variable_name(field) for field in Settings.model_fields}


def test_defaults_are_those_of_the_program() -> None:
    for field in ("web_host", "web_port", "demo_port"):
        assert f"`{Settings.model_fields[field].default}`" in README
    assert f"PostgreSQL {MINIMUM_VERSION} or later" in README


def test_every_command_is_described_and_every_described_one_exists() -> None:
    group = typer.main.get_command(app)
    names: set[str] = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # a group, as it has commands
        if not command.hidden:
            names |= {f"{name} {inner}" for inner in getattr(command, "commands", {})} or {name}
    table = README.partition("## Commands")[2].partition("## ")[0]
    assert set(re.findall(r"`homelab ([a-z ]+)`", table)) == names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_knows_its_targets(document: Path) -> None:
    for target in re.findall(r"(?:^|`)make ([a-z-]+)\b", document.read_text(encoding="utf-8"), re.MULTILINE):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
