"""The pages around signing in, as templates; the routes stand in `fairlead.api`, which knows requests."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
"""Folder of `sign_in.html` (takes `token`) and `sign_in_help.html`; both extend `layout.html`."""

SIGN_IN = "sign_in.html"
SIGN_IN_HELP = "sign_in_help.html"
