"""The web application: API, desk and engine in one process. A composition root."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from fairlead import api, console
from fairlead.api.routes import include_all
from fairlead.errors import UnavailableError
from fairlead.kit.logs import configure_logs
from fairlead.worker import Runtime

STOP_S = 10.0
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Of several addresses of a name, those that this machine lacks are left out, as ::1 of localhost often is."""


def create_app(runtime: Runtime, *, background: bool = True) -> FastAPI:
    """The application over an opened runtime.

    `background` False leaves the engine to workers elsewhere (or to a test).
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if background:
            runtime.start()
        yield
        if background:
            runtime.stop(STOP_S)

    app = FastAPI(title="Fairlead", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    services = api.Services(runtime.database, runtime.settings, runtime.database.clock, runtime.dispatcher.wake)
    api.install(app, services)
    include_all(app, runtime.library, seed=runtime.seed)
    console.install(app, services, runtime.library)
    return app


class AnnouncingServer(uvicorn.Server):
    """Calls `ready` once, in a thread, when connections are accepted; should it fail, the server ends in order."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self._ready is None:
            return
        try:
            await asyncio.to_thread(self._ready)
        except BaseException:
            await self.shutdown(sockets)
            raise


def serve(runtime: Runtime, ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; the engine runs in the same process.

    `ready` is called once the server accepts connections, so that what it prints can be opened at once.
    UnavailableError when another program has the port, or the host is none of this machine's.
    """
    settings = runtime.settings
    listening = _listen(settings.host, settings.port)
    configure_logs(level=settings.log_level, as_json=settings.log_json)
    config = uvicorn.Config(
        create_app(runtime),
        host=settings.host,
        port=settings.port,
        proxy_headers=False,  # who is believed is a setting of ours, see api.limits.address_of
        access_log=False,  # it would print sign-in tokens; our own log does not
        log_config=None,
        timeout_graceful_shutdown=int(STOP_S),
        server_header=False,
        date_header=False,
    )
    AnnouncingServer(config, ready).run(sockets=listening)


def _listen(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of the host that this machine has; UnavailableError says what to change."""
    found: list[socket.socket] = []
    problem: OSError | None = None
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in known):
            try:
                found.append(socket.create_server(address, family=family))
            except OSError as error:
                problem = error
                if error.errno not in _NOT_HERE:
                    raise
    except OSError as error:
        problem = error
        while found:
            found.pop().close()
    if not found and problem is not None:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        number = problem.errno or 0
        said = os.strerror(number) if number > 0 else problem.strerror  # below zero: of the resolver
        why, cure = said, "Give another --host (FAIRLEAD_HOST) or --port (FAIRLEAD_PORT)."
        if problem.errno == errno.EADDRINUSE:
            why, cure = "another program listens there", "Stop it, or give another --port (FAIRLEAD_PORT)."
        message = f"{where} cannot be listened on: {why}. {cure}"
        raise UnavailableError(message, host=host, port=port)
    return found
