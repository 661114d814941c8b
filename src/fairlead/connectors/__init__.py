"""Ways out of Fairlead. Nothing leaves the machine yet: a file, the log, and messages that are held."""

from collections.abc import Callable
from pathlib import Path

from fairlead.connectors.file import FileConnector
from fairlead.connectors.log import LogConnector
from fairlead.connectors.message import MessageConnector
from fairlead.connectors.ports import Connector, Delivery, Receipt, ReceiptState

registry: dict[str, Callable[[Path], Connector]] = {
    FileConnector.name: FileConnector,
    LogConnector.name: lambda _folder: LogConnector(),
    MessageConnector.name: lambda _folder: MessageConnector(),
}
"""How each connector is made, by name; the argument is the workspace's data folder."""


def connectors_for(data_dir: Path) -> dict[str, Connector]:
    """One of each, by name, for `OutboxSource`."""
    return {name: make(data_dir) for name, make in registry.items()}


__all__ = [
    "Connector",
    "Delivery",
    "FileConnector",
    "LogConnector",
    "MessageConnector",
    "Receipt",
    "ReceiptState",
    "connectors_for",
    "registry",
]
