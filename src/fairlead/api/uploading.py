"""A file on its way in: streamed to the data folder, looked at, and only then stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from fairlead.errors import InputError, TooLargeError, TooManyRequestsError
from fairlead.sales import Sending, spool_folder, take_upload, upload_name

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request

    from fairlead.api.http import Services
    from fairlead.kit.actors import Actor
    from fairlead.playbooks import BundleLibrary

MAX_FIELDS = 64
MAX_FIELD_BYTES = 4_096
AT_ONCE = 4
FILE_FIELD, PLAYBOOK = "file", "lead-qualification"
_PIECE_BYTES = 262_144
_under_way = 0


@dataclass(slots=True)
class Sent:
    """What came: the file on disk, its name, and the fields beside it."""

    path: Path
    name: str = ""
    size: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field, without blanks around it."""
        return next((value.strip() for key, value in reversed(self.fields) if key == name), default)

    def every(self, name: str) -> list[str]:
        """All values of a repeated field that are not empty."""
        return [value.strip() for key, value in self.fields if key == name and value.strip()]

    def yes(self, name: str, *, default: bool) -> bool:
        """A switch; InputError for what is neither yes nor no."""
        text = self.one(name).lower()
        if text not in {"", "true", "false", "1", "0", "on", "off", "yes", "no"}:
            raise InputError(f"{name} is true or false.", code="switch", field=name)
        return default if not text else text in {"true", "1", "on", "yes"}


Use = Callable[[Sent], str]


async def receive_file(request: Request, svc: Services, use: Use) -> str:
    """Stream the request's file into the data folder and call `use` with it, in a thread; gives what that gives.

    A form (multipart) carries the file as `file`; any other body is the file, named by the query's `name`. Query
    and form fields are one. InputError for a form that is none, without a file or a name; TooManyRequestsError
    while four other files come in.
    """
    global _under_way  # noqa: PLW0603  uploads of this process that take disk right now
    if _under_way >= AT_ONCE:
        raise TooManyRequestsError("Other files are being uploaded; try again in a moment.", retry_after_s=10)
    _under_way += 1
    try:
        with spool_folder(svc.settings.data_dir) as folder:
            sent = Sent(folder / "upload", fields=list(request.query_params.multi_items()))
            with sent.path.open("xb") as file:
                await _spool(request, sent, file, svc.settings.max_import_bytes)
            if not sent.name and not sent.size:
                message = "There is no file in this request. Send it as `file` of a form, or as the body."
                raise InputError(message, code="no_file")
            sent.name = upload_name(sent.name)
            return await run_in_threadpool(use, sent)
    finally:
        _under_way -= 1


async def _spool(request: Request, sent: Sent, file: BinaryIO, limit: int) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    sink = _Sink(sent, file, limit)
    if kind == b"multipart/form-data":
        if not (boundary := options.get(b"boundary")):
            raise InputError("The form names no boundary.", code="form")
        await _form(request, sink, boundary)
    else:
        sent.name = sent.one("name")
        if not sent.name:
            message = "Name the file: ?name=leads.csv, or send it as `file` of a form."
            raise InputError(message, code="no_file_name")
        async for piece in _pieces(request):
            await asyncio.to_thread(sink.write, piece)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    held = bytearray()
    try:
        async for piece in request.stream():
            held += piece
            if len(held) >= _PIECE_BYTES:
                yield bytes(held)
                held.clear()
    except ClientDisconnect:
        raise InputError("The file did not arrive whole.", code="cut_off") from None
    if held:
        yield bytes(held)


async def _form(request: Request, sink: _Sink, boundary: bytes) -> None:
    parts = _Parts(sink)
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async for piece in _pieces(request):
            await asyncio.to_thread(parser.write, piece)
        parser.finalize()
    except MultipartParseError:
        raise InputError("This is no form that can be read.", code="form") from None


class _Sink:
    """Where the file's bytes go, counted."""

    def __init__(self, sent: Sent, file: BinaryIO, limit: int) -> None:
        self.sent = sent
        self._file = file
        self._limit = limit

    def write(self, data: bytes) -> None:
        """TooLargeError past the limit."""
        self.sent.size += len(data)
        if self.sent.size > self._limit:
            message = f"The file has over {self._limit:,} bytes, which FAIRLEAD_MAX_IMPORT_BYTES allows; split it."
            raise TooLargeError(message, limit=self._limit, unit="bytes")
        self._file.write(data)


class _Parts:
    """The parts of a form as they come: one file, and a bounded number of short fields."""

    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._name = self._header = b""
        self._headers: dict[bytes, bytes] = {}
        self._value: bytearray | None = None
        self._field = ""
        self._files = 0

    def callbacks(self) -> MultipartCallbacks:
        """For the parser."""
        return {
            "on_part_begin": self._begin, "on_header_field": self._header_field, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_finished,
            "on_part_data": self._data, "on_part_end": self._end,
        }  # fmt: skip

    def _begin(self) -> None:
        self._headers, self._name, self._header = {}, b"", b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._header
        self._name = self._header = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = _text(options.get(b"name", b""))
        given = options.get(b"filename")
        if given is None or self._field != FILE_FIELD:
            self._value = bytearray()
            return
        self._value = None
        self._files += 1
        if self._files > 1:
            raise InputError("Send one file at a time.", code="form")
        self._sink.sent.name = _text(given)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._value is None:
            self._sink.write(data[start:end])
        else:
            self._value += data[start:end]
            if len(self._value) > MAX_FIELD_BYTES:
                message = f"A field of this form has at most {MAX_FIELD_BYTES:,} bytes."
                raise TooLargeError(message, limit=MAX_FIELD_BYTES, unit="bytes")

    def _end(self) -> None:
        if self._value is not None:
            fields = self._sink.sent.fields
            if len(fields) >= MAX_FIELDS:
                raise TooLargeError(f"This form has at most {MAX_FIELDS} fields.", limit=MAX_FIELDS, unit="fields")
            fields.append((self._field, _text(bytes(self._value))))


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise InputError("The form holds a NUL character.", code="nul")
    return text


def take_file(svc: Services, library: BundleLibrary, actor: Actor, sent: Sent, *, start: bool) -> str:
    """Look at the file and store it: the import's id; see `sales.take_upload`.

    Fields: `playbook`, `map` (repeated `field=column`), `country`, `forget_mapping`.
    """
    with svc.database.reading() as reader:
        bundle = library.current(reader)
    sending = Sending(
        sent.name, sent.one("playbook", PLAYBOOK), sent.every("map"), sent.one("country").upper(),
        forget=sent.yes("forget_mapping", default=False), start=start,
    )  # fmt: skip
    return take_upload(svc.database, bundle, actor, sent.path, sending)
