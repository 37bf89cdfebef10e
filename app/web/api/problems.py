"""Errors of the API as problem details (RFC 9457), naming each wrong field."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.definitions import errors

MEDIA_TYPE = "application/problem+json"


_STATUSES: dict[type[errors.RecordError], tuple[int, str]] = {
    errors.RunRefusedError: (409, "Not now"),
    errors.RecordNotFoundError: (404, "Not found"),
    errors.StaleRecordError: (412, "Changed meanwhile"),
    errors.ReadOnlyRecordError: (405, "Read only"),
}


class ProblemField(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field, such as config.metrics.0.source")
    message: str


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []


class NotAuthenticatedError(Exception):
    """The request names no one, or someone unknown."""


def problem(status: int, title: str, detail: str, fields: tuple[errors.FieldError, ...] = ()) -> JSONResponse:
    """Return the answer."""
    details = ProblemDetails(
        title=title,
        status=status,
        detail=detail,
        errors=[ProblemField(field=error.field, message=error.message) for error in fields],
    )
    return JSONResponse(details.model_dump(), status, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these statuses for the OpenAPI description."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {status: {"model": ProblemDetails, "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def add_problem_handlers(app: FastAPI) -> None:
    """Have the application answer every named error as a problem."""

    @app.exception_handler(errors.RecordError)
    async def record_error(request: Request, error: errors.RecordError) -> JSONResponse:
        match error:
            case errors.InvalidRecordError():
                return problem(422, "Not valid", str(error), error.errors)
            case errors.DuplicateRecordError():
                return problem(409, "Already there", str(error), (errors.FieldError(error.field, error.message),))
            case _:
                status, title = _STATUSES.get(type(error), (403, "Not allowed"))
                return problem(status, title, str(error))

    @app.exception_handler(NotAuthenticatedError)
    async def not_authenticated(request: Request, error: NotAuthenticatedError) -> JSONResponse:
        answer = problem(401, "Log in first", "Send an API token: Authorization: Bearer hl_…")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = tuple(_field_error(found) for found in error.errors())
        return problem(422, "Not valid", "; ".join(str(field) for field in fields), fields)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer


def _field_error(found: Any) -> errors.FieldError:
    place = ".".join(str(part) for part in found["loc"] if part not in ("body", "query", "path", "header"))
    if found["type"] == "json_invalid":
        return errors.FieldError("body", "is no JSON")
    if found["type"] == "extra_forbidden":
        return errors.FieldError(place or "body", "no such field")
    message = str(found["msg"]).removeprefix("Value error, ")
    if not place:
        place, _, message = message.partition(" ") if found["type"] == "value_error" else ("body", "", message)
    return errors.FieldError(place, message[:1].lower() + message[1:])
