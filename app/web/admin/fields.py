"""Fields of the forms. They keep what was typed as text: checking is the record store's, for forms and API alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Literal

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette_admin.fields import StringField, TextAreaField

from app.definitions.audit import masked
from app.definitions.roles import Role
from app.shared.yaml import write_yaml
from app.web.admin.choices import Loader, hints, of_request


@dataclass
class NumberText(StringField):
    """A number, as it was typed."""

    input_type: str = "number"
    step: str = "1"

    def input_params(self) -> str:
        """Return the attributes of the input."""
        return f'{super().input_params()} step="{self.step}"'


@dataclass
class WriteOnlyField(StringField):
    """A password or secret: it goes in, and never comes back into a page."""

    input_type: str = "password"
    exclude_from_list: bool | None = True
    exclude_from_detail: bool | None = True
    form_template: str = "fields/write_only.html"

    async def parse_obj(self, request: Request, obj: Any) -> Any:
        """Nothing: the record does not have it."""
        return None


@dataclass
class ChoiceField(StringField):
    """A select with choices from the database. A value that is no longer among them stays, and shows as it is."""

    loader: Loader = dataclass_field(kw_only=True)
    form_template: str = "fields/choice.html"
    class_: str = "form-select"

    async def parse_form_data(self, request: Request, form_data: FormData) -> Any:
        """Return the chosen value; the choices are loaded for the case that the form is shown again."""
        await self._load(request)
        return form_data.get(self.id) or None

    async def get_create_default(self, request: Request) -> Any:
        """Return the value in the address of the page (a link may choose), or the default."""
        await self._load(request)
        return request.query_params.get(self.name) or self.default

    async def serialize_none_value(self, request: Request) -> Any:
        """Nothing chosen."""
        await self._load(request)

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Return the value in a form, its label elsewhere."""
        choices = await self._load(request)
        if request.state.action.is_form():
            return str(value)
        return dict(choices).get(str(value), str(value))

    async def _load(self, request: Request) -> list[tuple[str, str]]:
        return await of_request(request, self.name, self.loader)


@dataclass
class JsonText(TextAreaField):
    """JSON, as it was typed."""

    rows: int = 8
    class_: str = "form-control font-monospace"
    exclude_from_list: bool | None = True
    form_template: str = "fields/json_text.html"
    detail_template: str = "fields/json_detail.html"

    async def serialize_none_value(self, request: Request) -> Any:
        """JSON's null."""
        return "null" if request.state.action.is_form() else None

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Readable JSON; who may not change anything does not see what could be a secret."""
        shown = value if request.state.actor.may(Role.EDITOR) else masked(value)
        return json.dumps(shown, indent=2, ensure_ascii=False)


@dataclass
class YamlText(JsonText):
    """A structure, as YAML or JSON; `sample` offers to try out the type that it defines."""

    sample: Literal["", "component-type", "source-type"] = ""
    form_template: str = "fields/yaml_text.html"

    async def get_create_default(self, request: Request) -> Any:
        """Return the structure to begin with."""
        return write_yaml(self.default)

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Readable YAML; what was typed and could not be saved stays as it is."""
        return value if isinstance(value, str) else write_yaml(value)


@dataclass
class ConfigField(JsonText):
    """A config: JSON, edited through a form that is made from the JSON Schema of the chosen type."""

    kind: str = dataclass_field(kw_only=True)
    fixed_type: str = ""
    default: Any = "{}"
    form_template: str = "fields/config.html"

    async def parse_form_data(self, request: Request, form_data: FormData) -> Any:
        """Return the text as it was typed."""
        await self._load(request)
        return form_data.get(self.id) or "{}"

    async def get_create_default(self, request: Request) -> Any:
        """Return an empty config."""
        await self._load(request)
        return {}

    async def serialize_value(self, request: Request, value: Any) -> Any:
        """Readable JSON."""
        if request.state.action.is_form():
            await self._load(request)
        return await super().serialize_value(request, value)

    async def _load(self, request: Request) -> None:
        state = request.scope["state"]
        if "config_hints" not in state:
            state["config_hints"] = await hints(request)
