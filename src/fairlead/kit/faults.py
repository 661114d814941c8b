"""Named fault points: a test makes this process die, stop or fail exactly there.

`FAIRLEAD_FAULT=name:action:n` acts at the n-th time that `name` is reached; actions are `kill`
(SIGKILL), `fail` (raises), `stop` (SIGSTOP). Nothing happens when the variable is not set.
"""

from __future__ import annotations

import os
import signal

from fairlead.errors import FaultError, InputError


def _plan() -> tuple[str, str, int] | None:
    text = os.environ.get("FAIRLEAD_FAULT", "")
    if not text:
        return None
    name, _, rest = text.partition(":")
    action, _, count = rest.partition(":")
    if action not in {"kill", "fail", "stop"} or not count.isdecimal() or not int(count):
        message = f"FAIRLEAD_FAULT={text!r} is not of the form NAME:kill|fail|stop:COUNT, with COUNT from 1"
        raise InputError(message, code="fault_plan")
    return name, action, int(count)


_armed = _plan()
_seen = 0


def fault_point(name: str) -> None:
    """Die, stop or fail here when the environment says so; otherwise free."""
    global _seen  # noqa: PLW0603  counts the visits of this process
    if _armed is None or _armed[0] != name:
        return
    _seen += 1
    if _seen != _armed[2]:
        return
    if _armed[1] == "fail":
        message = f"fault point {name} was armed"
        raise FaultError(message)
    os.kill(os.getpid(), signal.SIGKILL if _armed[1] == "kill" else signal.SIGSTOP)
