"""Which database to use: an external server, or the embedded one, started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.shared.database.core.roles import stored_bot_password
from app.shared.database.core.urls import DatabaseUrls, bot_url, plain_url


@contextmanager
def open_database(
    data_dir: Path, database_url: str | None = None, bot_database_url: str | None = None
) -> Iterator[DatabaseUrls]:
    """Yield the addresses to use; without `database_url` the embedded server runs as long as the block.

    Raises DatabaseError.

    It is ready when embedded; an external server is still to be waited for (wait_for_database).
    """
    if database_url is not None:
        owner = plain_url(database_url)
        if bot_database_url is not None:
            yield DatabaseUrls(owner, plain_url(bot_database_url))
            return
        password = stored_bot_password(data_dir)
        yield DatabaseUrls(owner, bot_url(owner, password), password)
        return
    from app.shared.database.core.embedded import EmbeddedPostgres

    with EmbeddedPostgres(data_dir / "postgres") as server:
        yield DatabaseUrls(server.url, bot_url(server.url), embedded=True)
