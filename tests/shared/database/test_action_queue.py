"""The queue of runs, as every program asks for it."""

from __future__ import annotations

import subprocess
import sys

_TOGETHER = """
import threading
from app.shared.database.action_queue import load_queue
failures = []
def load():
    try:
        load_queue()
        from pgqueuer.adapters.persistence.queries import Queries
        from pgqueuer.core.qm import QueueManager
    except BaseException as error:
        failures.append(repr(error))
threads = [threading.Thread(target=load) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failures, failures
"""


def test_threads_that_need_it_at_once_all_get_it_whole() -> None:
    done = subprocess.run([sys.executable, "-c", _TOGETHER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
