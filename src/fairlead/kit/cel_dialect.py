"""Which part of CEL Fairlead speaks, as the configuration text the CEL library reads.

Three changes to standard CEL. Whole numbers and doubles may be compared, because nobody writes `10000.0`.
What can use memory without bound is left out: turning text into bytes, and either joining (text, lists) or
loops, never both in one dialect. Nothing tells the time; a time is passed as a variable or is not there.
"""

from __future__ import annotations

_ORDERINGS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
_ORDERED = ("bool", "int64", "uint64", "double", "string", "bytes", "timestamp", "duration")
_MIXED = (("int64", "double"), ("double", "int64"))
_TYPE_NAMES = {"int64": "int", "uint64": "uint"}
_JOINING = ("add_string", "add_list", "add_bytes")
_LOOPS = ("all", "exists", "exists_one", "filter", "map")
_COPYING_LOOPS = ("map",)

_A = ["type_name: A", "is_type_param: true"]
_MAP_OF_A = ["type_name: map", "params:", *(f"{lead}{line}" for name in "AB" for lead, line in (
    ("  - ", f"type_name: {name}"), ("    ", "is_type_param: true")))]  # fmt: skip


def _plain(name: str) -> list[str]:
    return [f"type_name: {_TYPE_NAMES.get(name, name)}"]


def _list_of(name: str, *, parameter: bool = False) -> list[str]:
    lines = ["type_name: list", "params:", f"  - type_name: {_TYPE_NAMES.get(name, name)}"]
    return [*lines, "    is_type_param: true"] if parameter else lines


def _overload(name: str, *arguments: list[str]) -> list[str]:
    lines = [f"      - id: {name}", "        args:"]
    for argument in arguments:
        lines += [("          - " if i == 0 else "            ") + line for i, line in enumerate(argument)]
    return [*lines, "        return:", "          type_name: bool"]


def _function(name: str, overloads: list[list[str]]) -> list[str]:
    return [f'  - name: "{name}"', "    overloads:", *(line for overload in overloads for line in overload)]


def _comparisons() -> list[str]:
    lines: list[str] = []
    for name, stem in _ORDERINGS.items():
        same = [_overload(f"{stem}_{t}", _plain(t), _plain(t)) for t in _ORDERED]
        mixed = [_overload(f"{stem}_{a}_{b}", _plain(a), _plain(b)) for a, b in _MIXED]
        lines += _function(name, same + mixed)
    for name, stem in {"_==_": "equals", "_!=_": "not_equals"}.items():
        mixed = [_overload(f"{stem}_{a}_{b}", _plain(a), _plain(b)) for a, b in _MIXED]
        lines += _function(name, [_overload(stem, _A, _A), *mixed])
    contains = [_overload(f"in_list_{a}_{b}", _plain(a), _list_of(b)) for a, b in _MIXED]
    same = [_overload("in_list", _A, _list_of("A", parameter=True)), _overload("in_map", _A, _MAP_OF_A)]
    return lines + _function("@in", same + contains)


def dialect(*, loops: bool) -> str:
    """The configuration for conditions (`loops`, no joining) or for values (joining, no loops)."""
    redefined = [*_ORDERINGS, "_==_", "_!=_", "@in", "bytes"]
    lines = ["name: fairlead", "stdlib:", "  exclude_macros:"]
    lines += [f"    - {name}" for name in (_COPYING_LOOPS if loops else _LOOPS)]
    lines += ["  exclude_functions:", *(f'    - name: "{name}"' for name in redefined)]
    if loops:
        lines += ['    - name: "_+_"', "      overloads:", *(f"        - id: {name}" for name in _JOINING)]
    return "\n".join([*lines, "functions:", *_comparisons()]) + "\n"
