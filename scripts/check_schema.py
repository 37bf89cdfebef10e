"""`alembic check` on a fresh embedded database: the migrations give exactly what the models say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from app.shared.database.core.migrate import upgrade
from app.shared.database.core.opening import open_database


def main() -> int:
    """Migrate an empty database and let Alembic compare it with the models; its exit code is the answer."""
    with tempfile.TemporaryDirectory(prefix="homelab-schema-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with open_database(Path(folder)) as urls:
            asyncio.run(upgrade(urls.owner, urls.bot_password))
            environment = {**os.environ, "DATABASE_URL": urls.owner}
            return subprocess.run([sys.executable, "-m", "alembic", "check"], env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
