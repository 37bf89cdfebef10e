"""The application that serves /api/v1."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI

from app.definitions.kinds import KINDS
from app.web.api.action_runs import router as action_runs_router
from app.web.api.configuration import router as configuration_router
from app.web.api.preview import router as preview_router
from app.web.api.problems import add_problem_handlers
from app.web.api.pushes import router as pushes_router
from app.web.api.records import record_routes
from app.web.api.revisions import router as revisions_router
from app.web.api.source_tests import router as source_tests_router
from app.web.security.database_errors import add_database_handlers

_DESCRIPTION = """\
Dashboards and everything that they are made of. A change takes effect in Discord at once.

Make a token on the page *Account* and send it with every request: `Authorization: Bearer hl_…`.
Ids of Discord are text, as in Discord's own API. Errors are problem details (RFC 9457) that name each wrong field.
"""


@cache
def create_api(version: str) -> FastAPI:
    """Return the API.

    It holds nothing of its own: the web admin that it is mounted below puts everything into the request.
    """
    api = FastAPI(
        title="HomeLab Discord Bot",
        description=_DESCRIPTION,
        version=version,
        docs_url=None,
        redoc_url=None,
        root_path_in_servers=False,
        servers=[{"url": "/api/v1"}],
        swagger_ui_oauth2_redirect_url=None,
    )
    add_problem_handlers(api)
    add_database_handlers(api)
    for kind in KINDS.values():
        if kind.in_api:
            api.include_router(record_routes(kind))
    api.include_router(preview_router)
    api.include_router(action_runs_router)
    api.include_router(source_tests_router)
    api.include_router(pushes_router)
    api.include_router(revisions_router)
    api.include_router(configuration_router)
    return api
