"""The guide's example does what the guide says, to the letter."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from rich.console import Console

from app.cli.plans import print_plan
from app.definitions.files.plan import Plan
from app.definitions.files.problems import ConfigurationError
from app.shared.secrets import SecretBox
from tests.definitions.files.lab import Lab
from tests.support import factories

GUIDE = (Path(__file__).parents[3] / "docs" / "config-as-code.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL))
PRINTED = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
DASHBOARD = "lab/dashboards/storage.yaml"


def printed(plan: Plan, *, done: bool) -> str:
    console = Console(file=io.StringIO(), width=80, emoji=False)
    print_plan(console, plan, done=done)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_the_example(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab.folder)
    for name, text in FILES.items():
        lab.write(f"# {name}\n{text}", name)
    plan = await lab.apply(Path("lab/lab.yaml"), dry_run=True)
    assert printed(plan, done=False) == PRINTED[0]

    await lab.apply(Path("lab/lab.yaml"))
    await factories.secret(lab.owner, SecretBox(Fernet.generate_key().decode()), "s", name="nas_token")
    dashboard = FILES[DASHBOARD].replace("warning: 80", "warning: 85")
    lab.write(f"# {DASHBOARD}\n{dashboard}", DASHBOARD)
    assert printed(await lab.apply(Path("lab")), done=True) == PRINTED[1]
    assert (await lab.apply(Path("lab"))).changes == ()

    lab.write(f"# {DASHBOARD}\n{dashboard.replace('warning: 85', 'warning: high')}", DASHBOARD)
    with pytest.raises(ConfigurationError) as caught:
        await lab.apply(Path("lab"))
    said = [f"✗ {problem}" for problem in caught.value.problems]
    assert said == PRINTED[2].splitlines()[:-1]
