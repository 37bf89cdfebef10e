"""Services: long-running parts of the bot."""

from __future__ import annotations

from pydantic import Field

from app.definitions.inputs import Config, Input, KeyName, Name
from app.definitions.kinds.base import FileSection, register
from app.definitions.kinds.typed import TypedKind
from app.shared.database.models import ServiceRow, ServiceTypeRow


class ServiceInput(Input):
    """A long-running part of the bot."""

    name: KeyName = Field(description="Unique")
    type: Name = Field(description="Name of a service type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class Services(TypedKind):
    """Services run as long as the bot does."""

    name = "services"
    singular = "service"
    row = ServiceRow
    shape = ServiceInput
    types = ServiceTypeRow
    section = FileSection("services", order=6)


SERVICES = register(Services)
