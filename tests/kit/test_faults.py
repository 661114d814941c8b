"""Fault points do nothing unless armed, and then exactly what was asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fairlead.kit.faults import fault_point

SCRIPT = """
from fairlead.kit.faults import fault_point
for name in ("one", "two", "one", "one"):
    try:
        fault_point(name)
    except Exception as error:
        print("raised", type(error).__name__)
    print(name, flush=True)
"""


def _start(plan: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "FAIRLEAD_FAULT": plan, "PYTHONPATH": "src"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_nothing_happens_unarmed() -> None:
    """In production a fault point is nothing."""
    fault_point("one")


def test_kill_at_the_second_visit() -> None:
    """The process dies at the counted visit, with no chance to clean up."""
    process = _start("one:kill:2")
    out, _ = process.communicate(timeout=60)
    assert (out.split(), process.returncode) == (["one", "two"], -signal.SIGKILL)


def test_fail_once() -> None:
    """A failure is raised at the counted visit only."""
    out, _ = _start("one:fail:2").communicate(timeout=60)
    assert out.split("\n")[:-1] == ["one", "two", "raised FaultError", "one", "one"]


def test_stop_and_go_on() -> None:
    """A stopped process stands still until it is told to go on, as a paused machine does."""
    process = _start("two:stop:1")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["one", "two", "one", "one"]


@pytest.mark.parametrize("plan", ["one", "one:kill", "one:explode:1", "one:kill:0", "one:kill:x", "one:kill:1:2"])
def test_a_plan_that_cannot_be_read(plan: str) -> None:
    """A misspelt plan is an error at the start, not a test that silently tests nothing."""
    _, err = _start(plan).communicate(timeout=60)
    assert "NAME:kill|fail|stop:COUNT" in err
