"""HTML: one set of templates per application, the error page, and the way to answer with a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

from fairlead import people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

_OWN = Path(__file__).parent / "templates"
_HEADLINES = {401: "You are not signed in", 403: "You may not do this", 404: "There is nothing here"}


def environment(folders: Sequence[Path] = ()) -> Environment:
    """Templates of `folders` first, then those of signing in and the plain `layout.html` and `error.html`.

    Everything is escaped unless marked safe.
    """
    return Environment(loader=FileSystemLoader([*folders, people.TEMPLATES, _OWN]), autoescape=True)


def render_page(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Answer with a template; it sees `request` and `principal` (None before anybody asked who it is)."""
    return HTMLResponse(_text(request, name, **context), status)


def render_error(request: Request, status: int, error: dict[str, Any]) -> str:
    """The error page used unless `install` was given another."""
    headline = _HEADLINES.get(status, "This did not work")
    return _text(request, "error.html", status=status, error=error, headline=headline)


def _text(request: Request, name: str, **context: Any) -> str:
    templates: Environment = request.app.state.templates
    principal = request.scope.get("fairlead.principal")
    return templates.get_template(name).render(request=request, principal=principal, **context)
