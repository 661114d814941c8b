"""The stream of changes for open pages; a browser opens one and shares it between its tabs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from fairlead.api import require, sees_every_role
from fairlead.console.shell import console_of
from fairlead.people import Permission, Principal

PING_S = 15.0
LONGEST_S = 600.0
"""After ten minutes the browser has to come back for another stream: so the end of a session is noticed."""
RETRY_MS = 2_000

router = APIRouter()


@router.get("/events", response_class=EventSourceResponse)
async def events(
    request: Request, principal: Annotated[Principal, Depends(require(Permission.REVIEWS_READ))]
) -> AsyncIterator[ServerSentEvent]:
    """Topic `reviews`: `gone`, `held`, `free` by id, `new` by place and role, `much`: load the page anew."""
    roles = None if sees_every_role(principal) else principal.roles
    ends = asyncio.get_running_loop().time() + LONGEST_S
    with console_of(request).feed.listening(roles) as listener:
        yield ServerSentEvent(event="ready", data={}, retry=RETRY_MS)
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                message = await asyncio.wait_for(listener.queue.get(), min(PING_S, left))
            except TimeoutError:
                yield ServerSentEvent(comment="still here")
            else:
                yield ServerSentEvent(event="reviews", data=message)
