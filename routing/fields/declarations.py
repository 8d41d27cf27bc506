"""Declarations of properties: each once for REST, the SDK's payloads and event data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from routing.fields.schemas import Schema

Row = TypeVar("Row", contravariant=True)
EventData = dict[str, str | None]


def date_text(moment: datetime | None) -> str | None:
    """Return a moment as the API writes it: UTC, whole seconds, Z."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def unix_seconds(moment: datetime) -> int:
    """Return a moment in whole Unix seconds, as the SDK and event data write it."""
    return int(moment.timestamp())


@dataclass(frozen=True, slots=True)
class Writable:
    """The REST parameter that sets a field, at creation and by updates.

    Arguments:
        words: its description; that of the field if it is empty.
    """

    words: str = ""
    example: Any = None


Get = str | Callable[[Row], Any]
"""The path of an attribute, or a function of the row. After `?.` a related row may be missing."""
Reader = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Field(Generic[Row]):
    """One property of a noun.

    Arguments:
        name: its name in REST answers.
        schema: the JSON schema of its value; None if REST does not show it.
        get: where its value is; by default the attribute of that name.
        at: returns its value where that depends on the time of the answer.
        rest, sdk: convert the value for REST answers and for the SDK.
        sdk_name: its name in the SDK's payloads, if another; empty if the SDK does not get it.
        event: its name in event data; empty if they do not have it.
        writable: the REST parameter that sets it, if it is a plain boolean, number or text.
        optional: not every answer has it, and the view adds it itself.
    """

    name: str
    schema: Schema | None
    get: Get[Row] = ""
    at: Callable[[Row, Any], Any] | None = None
    rest: Callable[[Any], Any] | None = None
    sdk: Callable[[Any], Any] | None = None
    sdk_name: str | None = None
    event: str = ""
    writable: Writable | None = None
    optional: bool = False

    @property
    def place(self) -> Get[Row]:
        """Return where its value is."""
        return self.get or ("sid" if self.at is not None else self.name)

    @property
    def name_for_sdk(self) -> str:
        """Return its name in the SDK's payloads."""
        return self.name if self.sdk_name is None else self.sdk_name

    @property
    def kind(self) -> str:
        """Return the type of its value: a JSON type, or "moment"."""
        if self.schema is None:
            return "integer"
        if self.schema.get("format") == "date-time":
            return "moment"
        kinds = self.schema["type"]
        return str(kinds[0] if isinstance(kinds, list) else kinds)

    @property
    def to_event(self) -> Callable[[Any], str | None] | None:
        """Return the function that writes its value as a text for event data."""
        match self.kind:
            case "boolean":
                return _flag_text
            case "integer":
                return str
            case "moment" if self.sdk is not None:
                seconds = self.sdk
                return lambda value: None if value is None else str(seconds(value))
        return None

    @property
    def from_event(self) -> Callable[[str | None], Any] | None:
        """Return the function that reads the SDK's value from the text in event data."""
        match self.kind:
            case "boolean":
                convert = bool if self.sdk is None else self.sdk
                return lambda text: convert(text == "true")
            case "integer" | "moment":
                return lambda text: None if text is None else int(text)
        return None


def moment(name: str, schema: Schema, get: Get[Row] = "", **more: Any) -> Field[Row]:
    """Return the field of a moment: a date for REST, Unix seconds for the SDK and in events."""
    return Field(name, schema, get, rest=date_text, sdk=unix_seconds, **more)


def compile_reader(
    columns: Sequence[tuple[str, Get[Any], Callable[[Any], Any] | None]],
) -> Reader:
    """Return a function that reads a row into a dict.

    It is compiled, as fast as one written by hand, because the router's loop records rows.

    Arguments:
        columns: each key with the place of its value and its conversion, if any.
    """
    functions: dict[str, Any] = {}
    items = []
    for number, (key, get, convert) in enumerate(columns):
        if isinstance(get, str):
            related, missing, _ = get.partition("?.")
            value = f"row.{get.replace('?.', '.')}"
            if missing:
                value = f"(None if row.{related} is None else {value})"
        else:
            functions[f"get_{number}"] = get
            value = f"get_{number}(row)"
        if convert is not None:
            functions[f"convert_{number}"] = convert
            value = f"convert_{number}({value})"
        items.append(f"{key!r}: {value}")
    source = f"lambda row: {{{', '.join(items)}}}"
    return cast(Reader, eval(source, functions))  # noqa: S307 - our declarations only


def _flag_text(value: bool) -> str:
    return "true" if value else "false"
