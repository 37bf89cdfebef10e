"""A component type while it is being written: what it looks like, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.bot.domain.components.component_templates import ComponentTemplate
from app.definitions.actors import WebActor
from app.definitions.errors import FieldError, InvalidRecordError
from app.definitions.kinds.component_types import COMPONENT_TYPES
from app.shared.yaml import YamlError, read_typed_yaml
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.render import pages_of

router = APIRouter(include_in_schema=False)
_UNNAMED = "unnamed"


@router.post("/component-types/preview")
async def preview(
    *,
    request: Request,
    database: Annotated[AsyncSession, Depends(database_of)],
    actor: Annotated[WebActor, Depends(actor_of_request)],
    name: Annotated[str, Form()] = "",
    config_schema: Annotated[str, Form()] = "",
    definition: Annotated[str, Form()] = "",
    sample: Annotated[str, Form()] = "",
) -> Response:
    """Return the card with sample parameters, and every error that saving would name. Nothing is stored."""
    if not actor.may(COMPONENT_TYPES.writer):
        raise HTTPException(403)
    name = name.strip() or _UNNAMED
    typed = {"config_schema": config_schema, "definition": definition, "parameters": sample}
    values, errors = _read(typed)
    if not errors:
        record = {"name": name, "config_schema": values["config_schema"], "definition": values["definition"]}
        try:
            await context_of(request).store.validation.check(database, COMPONENT_TYPES, record)
        except InvalidRecordError as error:
            errors = list(error.errors)
    view = None
    if "definition" in values and "config_schema" in values:
        template = ComponentTemplate(name, config_schema=values["config_schema"], definition=values["definition"])
        view = await context_of(request).preview.sample(template, values.get("parameters", {}))
    shown = pages_of(request).environment.get_template("preview/sample.html")
    return HTMLResponse(shown.render(errors=errors, view=view, preview={}, request=request))


def _read(typed: dict[str, str]) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the structures that were typed, and which of them are none."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, text in typed.items():
        try:
            value = read_typed_yaml(text) if text.strip() else {}
        except YamlError as error:
            errors.append(FieldError(name, str(error)))
            continue
        if isinstance(value, dict):
            values[name] = value
        else:
            errors.append(FieldError(name, "must be settings with names, such as “source: host”"))
    return values, errors
