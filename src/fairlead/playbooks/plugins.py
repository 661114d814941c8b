"""Steps that a workspace brings itself: Python files in `steps/`, deployed and pinned like its YAML.

A file defines functions under `@step("name@1")`. It runs with the rights of the worker, so who may deploy
may run code: deploying is a permission of its own.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fairlead.errors import Place, SourceError
from fairlead.playbooks.model import StepInput, StepKind, StepResult
from fairlead.playbooks.steps import Step, plain_step

StepFunction = Callable[[StepInput], "Mapping[str, Any] | StepResult"]


def steps_of_file(text: str, file: str) -> list[Step]:
    """Run the file once and collect its steps; SourceError with the line where it breaks."""
    collected: list[Step] = []

    def step(name: str, kind: str = "pure") -> Callable[[StepFunction], StepFunction]:
        if kind not in {StepKind.PURE, StepKind.IO}:
            message = f"a step's kind is pure or io, not {kind!r}"
            raise ValueError(message)
        known_kind = StepKind(kind)

        def keep(function: StepFunction) -> StepFunction:
            code = getattr(function, "__code__", None)
            made = plain_step(name, function, known_kind)
            collected.append(replace(made, line=code.co_firstlineno if code else 0))
            return function

        return keep

    try:
        code = compile(text, file, "exec")
        exec(code, {"__name__": f"fairlead_workspace.{file}", "step": step})  # noqa: S102  deploying code is the point
    except SyntaxError as error:
        message = f"this is not valid Python: {error.msg}."
        raise SourceError(message, Place(file, error.lineno or 0, error.offset or 0), code="python") from None
    # Whatever the workspace's own code raises when it is first run is reported with its line.
    except (Exception, SystemExit) as error:
        line = next(
            (f.lineno or 0 for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == file),
            0,
        )
        message = f"running this file failed: {type(error).__name__}: {error}."
        raise SourceError(message, Place(file, line), code="python") from error
    if not collected:
        message = "this file defines no step."
        raise SourceError(message, Place(file), suggestion='Put `@step("name@1")` above a function.', code="python")
    return collected
