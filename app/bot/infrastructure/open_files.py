"""How many files and connections this process may have open."""

from __future__ import annotations

from contextlib import suppress

_WANTED = 65_536


def allow_many_files() -> None:
    """Raise the process's own limit as far as the system allows: each source that is being read holds a connection.

    Nothing happens where the system has no such limit, or does not let it be raised.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
