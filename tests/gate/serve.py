"""A real server process for the client's tests: `python -m tests.gate.serve DATABASE PORT`."""

from __future__ import annotations

import sys

import uvicorn

from fairlead.kit.clock import SystemClock
from tests.gate.world import World

if __name__ == "__main__":
    world = World.at(sys.argv[1], SystemClock())  # type: ignore[arg-type]
    sys.stdout.write(world.key.text + "\n")
    sys.stdout.flush()
    uvicorn.run(world.app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
