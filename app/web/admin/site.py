"""The table pages as one application, with this product's look and its one login."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette_admin.auth import AdminUser, BaseAuthProvider
from starlette_admin.contrib.sqla import Admin
from starlette_admin.i18n import TimezoneConfig
from starlette_admin.routing import route
from starlette_admin.theme import ClassMap, DefaultTheme, TablerSettings
from starlette_admin.views import CustomView

from app.definitions.store import RecordStore
from app.web.admin.loader import NonceLoader
from app.web.admin.menu import menu

TEMPLATES = Path(__file__).parent.parent / "templates"


class _Home(CustomView):
    """The admin's own start page is the overview."""

    @route("")
    async def index(self, request: Request) -> Response:
        return RedirectResponse("/", 303)


class _Users(BaseAuthProvider):
    """The middleware has found out who it is already."""

    async def authenticate(self, request: Request) -> AdminUser | None:
        actor = getattr(request.state, "actor", None)
        return None if actor is None else AdminUser(username=actor.name)

    def get_routes(self, templates: Jinja2Templates) -> list[Route]:
        return [Route("/login", lambda request: RedirectResponse("/login", 303), name="login")]


class _Classes(ClassMap):
    classes: ClassVar[dict[str, str]] = {
        "form.cancel_button": "btn btn-ghost-secondary me-auto",
        "form.save_button": "btn btn-primary",
    }


class _Theme(DefaultTheme):
    """Cancelling is no danger, and does not look like one."""

    def get_class_map(self) -> ClassMap:
        return _Classes()


class TablePages(Admin):
    """starlette-admin with this product's look. Forms are checked by the middleware that all pages share."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], store: RecordStore, secret_key: str) -> None:
        super().__init__(
            sessions,
            title="HomeLab",
            templates_dir=str(TEMPLATES),
            additional_loaders=[NonceLoader()],
            index_view=_Home(menu_label="Overview", path="/", route_name="index", add_to_menu=False),
            theme=_Theme(TablerSettings(base="slate", primary="indigo", radius=1, mode="dark")),
            auth_provider=_Users(),
            secret_key=secret_key,
            timezone_config=TimezoneConfig(),
        )
        self.menu = menu(store)
        for group in self.menu:
            for view in group.views:
                self.add_view(view)
        self.templates.env.globals["menu"] = self.menu
        self.templates.env.tests["accessible_to"] = lambda view, request: view.is_accessible(request)

    def _init_csrf(self) -> None:
        """Nothing: app.web.security.middleware checks every form."""
