"""Numbers in sentences for people."""

from __future__ import annotations


def counted(number: int, thing: str, things: str = "") -> str:
    """`1 playbook`, `2 playbooks`, `1,200 policies`; `things` is the plural where it is not the singular with an s."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
