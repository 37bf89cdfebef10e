"""The store of records for programs that are no web admin: the same checks, the same audit."""

from __future__ import annotations

import getpass

from cryptography.fernet import Fernet

from app.bot.domain.components.types import component_types
from app.definitions.actors import WebActor
from app.definitions.kinds import COMPONENTS
from app.definitions.passwords import Passwords
from app.definitions.roles import Role
from app.definitions.store import RecordStore
from app.definitions.validation import ConfigModels, Validation
from app.shared.secrets import SecretBox


def record_store(config_models: ConfigModels, secret_box: SecretBox | None = None) -> RecordStore:
    """Return a store that checks configs by these models and those of the component types.

    `secret_box` is for secrets; files hold none.
    """
    secret_box = secret_box or SecretBox(Fernet.generate_key().decode())
    models = {COMPONENTS.name: dict(component_types.items()), **config_models}
    return RecordStore(Validation(models), secret_box, Passwords())


def command_line_actor() -> WebActor:
    """Who runs the command: whoever may reach the database as its owner may do everything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        name = "homelab"
    return WebActor("cli", 0, name[:100], Role.ADMIN, note="homelab apply")
