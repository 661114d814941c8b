"""The console's own style sheet, script and picture: read once, served under their digest, cached."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fairlead.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by name: (content, digest)."""

    files: Mapping[str, tuple[bytes, str]]

    def url(self, name: str) -> str:
        """The address of a file, another one when its content is another."""
        return f"/static/{name}?v={self.files[name][1]}"


def load() -> Assets:
    """Read what lies in the static folder; other types than CSS, JS and SVG are no business of a browser."""
    found = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in _TYPES}
    return Assets({name: (body, hashlib.sha256(body).hexdigest()[:12]) for name, body in found.items()})


@router.get("/static/{name}")
def static_file(request: Request, name: str, v: str = "") -> Response:
    """One of the known files; nothing on disk is looked up by what was asked for."""
    assets: Assets = request.app.state.console.assets
    if name not in assets.files:
        raise NotFoundError("There is no such file.")
    body, digest = assets.files[name]
    caching = _FOR_GOOD if v == digest else "no-cache"
    kind = _TYPES["." + name.rsplit(".", 1)[1]]
    return Response(body, media_type=kind, headers={"Cache-Control": caching})
