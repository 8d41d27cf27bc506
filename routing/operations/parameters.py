"""Describe request parameters: one parameter, one way to read it.

An operation lists its parameters. `read_arguments` turns a form into the keyword arguments of an
action, or refuses with the parameter's name, its value and what would be right.

Actions decide what the domain allows. This module only checks that a value has the right type and
names something of this workspace. An absent parameter gives no argument, so nothing is changed. An
empty one reaches its reader and clears an optional value.

A parameter also carries its part of the API description: the schema that follows from its reader
and, where an operation lists it, a sentence and an example.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from django.utils.dateparse import parse_datetime

from routing import models
from routing.actions.support.inputs import CONTROL, NAME_LIMIT
from routing.fields.declarations import Field, Writable
from routing.fields.shapes import RowShape
from routing.operations.errors import ApiError
from routing.operations.forms import Form
from workflows import expressions

TEXT_LIMIT: Final = 4_096
URL_LIMIT: Final = 2_048
_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]{1,18})\s*", re.ASCII)
_TRUE: Final = frozenset({"true", "1", "yes"})

Read = Callable[[str, "ParamContext"], Any]
Member = TypeVar("Member", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ParamContext:
    """The name of a parameter, and the workspace of the request."""

    name: str
    workspace: models.Workspace | None = None

    def refuse(self, value: str, wanted: str) -> NoReturn:
        """Refuse a value, in one sentence that ends with what would be right."""
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        raise ApiError(f"{self.name} is {shown!r}; {wanted}")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its name on the wire, the name of its argument, and its reader.

    Arguments:
        many: the value is a list, given by commas, by repetition, or both.
        schema: the JSON schema of the value, or of each value of a list; any text if it is empty.
    """

    name: str
    argument: str
    read: Read
    required: bool = False
    many: bool = False
    schema: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    example: Any = None

    def describe(self, words: str, example: Any = None, **schema: Any) -> Param:
        """Return the parameter with its text for the API description.

        Arguments:
            schema: limits and formats that an action checks.
        """
        return replace(self, words=words, example=example, schema={**self.schema, **schema})


def read_arguments(
    params: Iterable[Param], form: Form, *, workspace: models.Workspace | None = None
) -> dict[str, Any]:
    """Return the arguments that a form gives for these parameters; unknown names are ignored."""
    found: dict[str, Any] = {}
    for param in params:
        given = form.get(param.name)
        if given is None:
            if param.required:
                raise ApiError(f"The {param.name} field is required")
            continue
        place = ParamContext(param.name, workspace)
        for value in given:
            if control := CONTROL.search(value):
                place.refuse(
                    value,
                    f"leave out the control character U+{ord(control[0]):04X} at position"
                    f" {control.start()}",
                )
        if param.many:
            words = [word.strip() for value in given for word in value.split(",")]
            found[param.argument] = [param.read(word, place) for word in words if word]
        else:
            found[param.argument] = param.read(given[-1], place)
    return found


def argument_name(name: str) -> str:
    """Return the argument that a parameter gives: its name in snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def parameter_name(argument: str) -> str:
    """Return the parameter that gives an argument: its name in the API's spelling."""
    return "".join(word.capitalize() for word in argument.split("_"))


def text(name: str, *, required: bool = False, limit: int = TEXT_LIMIT) -> Param:
    """Return a parameter for a text; the action checks its content."""

    def convert(value: str, place: ParamContext) -> str:
        if len(value) > limit:
            place.refuse(value, f"it is {len(value)} characters long; at most {limit} are allowed")
        return value

    schema = {"type": "string", "maxLength": limit}
    return Param(name, argument_name(name), convert, required, schema=schema)


def friendly_name(*, required: bool = False) -> Param:
    """Return a parameter for a FriendlyName, which the action checks."""
    called = text("FriendlyName", required=required)
    return replace(called, schema={"type": "string", "minLength": 1, "maxLength": NAME_LIMIT})


def document(name: str, *, required: bool = False) -> Param:
    """Return a parameter for a text whose length is limited only by the size of the body."""
    schema = {"type": "string", "contentMediaType": "application/json"}
    return Param(name, argument_name(name), lambda value, place: value, required, schema=schema)


def url(name: str) -> Param:
    """Return a parameter for a URL, which the action checks; an empty one clears the value."""
    return replace(text(name), schema={"type": "string", "format": "uri", "maxLength": URL_LIMIT})


def boolean(name: str) -> Param:
    """Return a parameter that reads true, 1 or yes as true and anything else as false.

    TaskRouter's API does the same.
    """

    def convert(value: str, place: ParamContext) -> bool:
        return value.strip().lower() in _TRUE

    return Param(name, argument_name(name), convert, schema={"type": "boolean"})


def whole_number(
    name: str,
    argument: str = "",
    *,
    least: int = 0,
    most: int | None = None,
    clearable: bool = False,
) -> Param:
    """Return a parameter for a whole number; bounds given here are for what no action checks.

    Arguments:
        clearable: an empty value gives None.
    """
    wanted = "it must be a whole number"
    if most is not None:
        wanted += f" from {least} to {most}"
    if clearable:
        wanted += ", or empty"

    def convert(value: str, place: ParamContext) -> int | None:
        if clearable and not value.strip():
            return None
        found = _WHOLE.fullmatch(value)
        if found is None:
            place.refuse(value, wanted)
        number = int(found[1])
        if most is not None and not least <= number <= most:
            place.refuse(value, wanted)
        return number

    schema: dict[str, Any] = {"type": "integer"}
    if most is not None:
        schema |= {"minimum": least, "maximum": most}
    if clearable:
        schema |= {"type": ["integer", "string"], "maxLength": 0}
    return Param(name, argument or argument_name(name), convert, schema=schema)


def choice(name: str, words: type[Member] | Sequence[str], *, many: bool = False) -> Param:
    """Return a parameter for one of a few words, read in any case."""
    known = {str(word).lower(): word for word in words}

    def convert(value: str, place: ParamContext) -> Member | str:
        word = known.get(value.strip().lower())
        if word is None:
            place.refuse(value, f"it must be one of {', '.join(map(str, known.values()))}")
        return word

    schema = {"type": "string", "enum": [str(word) for word in known.values()]}
    return Param(name, argument_name(name), convert, many=many, schema=schema)


def date_time(name: str) -> Param:
    """Return a parameter for an ISO 8601 date and time; UTC unless it has an offset."""

    def convert(value: str, place: ParamContext) -> datetime:
        try:
            found = parse_datetime(value.strip())
            # An offset may lead before the year 1 or beyond the year 9999.
            found = found and (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            found = None
        if found is None:
            place.refuse(value, "it must be a date and time such as 2026-03-02T12:00:00Z")
        return found

    schema = {"type": "string", "format": "date-time"}
    return Param(name, argument_name(name), convert, schema=schema)


def expression(name: str, *, subject: expressions.Subject) -> Param:
    """Return a parameter for an expression, which is compiled."""

    def convert(value: str, place: ParamContext) -> expressions.Expression:
        try:
            return expressions.compile_once(value, subject=subject)
        except expressions.ExpressionError as error:
            raise ApiError(f"{place.name} is not an expression: {error}") from None

    return Param(name, argument_name(name), convert, schema={"type": "string"})


def derive_parameters(shape: RowShape[Any]) -> tuple[Param, ...]:
    """Return the parameters that the fields of a noun declare as writable, in their order."""
    return tuple(
        _derive_parameter(field, field.writable) for field in shape.fields if field.writable
    )


def _derive_parameter(field: Field[Any], writable: Writable) -> Param:
    assert field.schema is not None
    name = parameter_name(field.name)
    match field.kind:
        case "boolean":
            found = boolean(name)
        case "integer":
            found = whole_number(
                name,
                least=field.schema["minimum"],
                most=field.schema.get("maximum"),
                clearable="null" in field.schema["type"],
            )
        case _:
            found = text(name)
    return found.describe(writable.words or field.schema["description"], writable.example)
