"""Everything the server sent to a browser: words and numbers, wherever they hide.

The page's text is not enough: a grid's own menu reveals columns that are not shown, and
a chart carries its data. So the test reads the web socket's frames (Streamlit's
``ForwardMsg``), opens every Arrow blob in them, and lists what was fetched over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from google.protobuf.message import DecodeError, Message
from playwright.sync_api import Page, Response, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# The shell of the app itself: its own settings and the server's file names.
_SHELL = ("new_session", "session_status_changed")
_DATA_PATH, _PROGRAM_PATH = "/media/", "/static/"
_HARMLESS = re.compile(r'\$\$ID-[0-9a-f]+|"\$schema"')
"""Streamlit's names of widgets begin with two dollar signs, a chart names its schema."""
MONEY_WORDS = re.compile(
    r"\b(costs?|mark-?ups?|margins?|usd|dollars?|profits?|revenues?|discounts?|nusd"
    r"|official price)\b|\$|% off|美元|成本|加价|利润|毛利|官方价|折扣",
    re.IGNORECASE,
)


@dataclass
class Received:
    """What one browser page was sent: every text and every number, in order."""

    texts: list[str] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    """Addresses of data that went over HTTP: a test must account for each."""
    frames: int = 0
    arrow_tables: int = 0

    def money_words(self) -> set[str]:
        """Words that a customer must never be sent, each with what stands around it."""
        return {
            text[max(0, match.start() - 30) : match.end() + 30]
            for text in self.texts
            for match in MONEY_WORDS.finditer(text)
        }

    def shows(self, canary: str) -> bool:
        return any(canary in text.replace(",", "") for text in self.texts)

    def shows_number(self, canary: float) -> bool:
        return any(abs(number - canary) <= 1e-9 * abs(canary) for number in self.numbers)


def record(page: Page) -> Received:
    """Listen from now on. Call it before the page is opened."""
    received = Received()

    def on_frame(payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            _read_frame(payload, received)
        else:
            received.texts.append(payload)

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", on_frame)

    def on_response(response: Response) -> None:
        if _DATA_PATH in response.url and _PROGRAM_PATH not in response.url:
            received.fetched.append(response.url)

    page.on("websocket", on_socket)
    page.on("response", on_response)
    return received


def _read_frame(payload: bytes, received: Received) -> None:
    message = ForwardMsg()
    try:
        message.ParseFromString(payload)
    except DecodeError as error:
        raise AssertionError("a frame that is no ForwardMsg: the check is blind") from error
    received.frames += 1
    if message.WhichOneof("type") in _SHELL:
        return
    for value in _values(message):
        _read_value(value, received)


def _values(message: Message) -> Iterator[Any]:
    for descriptor, value in message.ListFields():
        label = f"{descriptor.name}"
        items: Any = value
        if isinstance(value, Message):
            yield from _values(value)
            continue
        if not isinstance(value, str | bytes | int | float):
            items = list(value.values()) if hasattr(value, "values") else list(value)
        else:
            items = [value]
        for item in items:
            if isinstance(item, Message):
                yield from _values(item)
            elif label != "script_hash":
                yield item


def _read_value(value: Any, received: Received) -> None:
    if isinstance(value, bytes):
        _read_arrow(value, received)
    elif isinstance(value, str):
        received.texts.append(_HARMLESS.sub("", value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        received.numbers.append(float(value))


def _read_arrow(blob: bytes, received: Received) -> None:
    try:
        table = pa.ipc.open_stream(blob).read_all()
    except pa.ArrowInvalid:
        received.texts.append(blob.decode("utf-8", errors="replace"))
        return
    received.arrow_tables += 1
    received.texts.extend(table.column_names)
    received.texts.append(repr(table.schema.metadata))
    for column in table.columns:
        for item in column.to_pylist():
            if isinstance(item, int | float) and not isinstance(item, bool):
                received.numbers.append(float(item))
            elif item is not None:
                received.texts.append(str(item))
