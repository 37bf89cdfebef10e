"""The store of records for programs that are no web admin: the same checks, the same audit."""

from __future__ import annotations

import getpass

from app.bot.domain import components as _components  # noqa: F401  # importing registers the component types
from app.bot.domain.component import component_types
from app.shared.secrets import SecretBox
from app.web.records.kinds import COMPONENTS
from app.web.records.store import RecordStore
from app.web.records.validation import ConfigModels, Validation
from app.web.security.actors import WebActor
from app.web.security.passwords import Passwords
from app.web.security.roles import Role


def record_store(config_models: ConfigModels, secret_box: SecretBox) -> RecordStore:
    """A store that checks configs by these models and those of the component types."""
    models = {COMPONENTS.name: dict(component_types.items()), **config_models}
    return RecordStore(Validation(models), secret_box, Passwords())


def command_line_actor() -> WebActor:
    """Who runs the command: whoever may reach the database as its owner may do everything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        name = "homelab"
    return WebActor("cli", 0, name[:100], Role.ADMIN, note="homelab apply")
