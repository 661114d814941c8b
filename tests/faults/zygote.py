"""A process that has imported everything and forks a `fairlead` command whenever it is told to.

Importing takes seconds and a fork milliseconds, so fifty kills fit into a test. The children are whole
processes with an environment of their own: kill -9 hits them as it hits any other. One JSON object per line
in, one out; it ends with its standard input.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import Any

from fairlead.cli import app
from fairlead.kit import faults


def answer_requests() -> None:
    """Fork and report until nobody asks any more."""
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"pid": fork(request)} if "args" in request else {"status": status_of(request["poll"])}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def fork(request: dict[str, Any]) -> int:
    """Run a command in a child; its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        for name in ("stdout", "stderr"):
            target = os.open(request[name], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
            os.dup2(target, 1 if name == "stdout" else 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if request["file_limit"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_limit"], resource.RLIM_INFINITY))
        os.environ.update(request["env"])
        faults._armed = faults._plan()  # the variable was read when the parent started
        app(request["args"], standalone_mode=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def status_of(pid: int) -> int | None:
    """How the child ended: its exit status, minus the signal that killed it, None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer_requests()
