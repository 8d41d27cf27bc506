"""Errors of expressions, with the place in the text."""

from __future__ import annotations

WINDOW = 100  # characters of a long line that are shown around the fault


class ExpressionError(Exception):
    """The expression cannot be used."""


class ExpressionSyntaxError(ExpressionError):
    """A syntax error in a text, shown with a caret under its place.

    `span` holds the first and the one-past-last position of the error in `source`. Both are equal
    if something is missing there.
    """

    def __init__(self, message: str, *, source: str, span: tuple[int, int]) -> None:
        super().__init__(message, source, span)
        self.message = message
        self.source = source
        self.span = span

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.message, self.source, self.span)

    def __str__(self) -> str:
        if not self.source.strip():
            return self.message
        return f"{self.message}\n{point_at(self.source, self.span)}"


def _rebuild(message: str, source: str, span: tuple[int, int]) -> ExpressionSyntaxError:
    return ExpressionSyntaxError(message, source=source, span=span)


def point_at(source: str, span: tuple[int, int]) -> str:
    """Return the line of `source` in which `span` begins, with a caret line beneath it."""
    start, end = span
    first = source.rfind("\n", 0, start) + 1
    last = source.find("\n", start)
    last = len(source) if last < 0 else last
    line, column = source[first:last], start - first
    width = max(1, min(end, last) - start)
    if len(line) > WINDOW:
        line, column, width = _windowed(line, column, width)
    # One column per character: a tab or a control character would shift the caret.
    shown = "".join(character if character.isprintable() else " " for character in line)
    where = f" (line {source.count(chr(10), 0, start) + 1})" if "\n" in source.strip() else ""
    return f"    {shown.rstrip()}{where}\n    {' ' * column}^{'~' * (width - 1)}"


def _windowed(line: str, column: int, width: int) -> tuple[str, int, int]:
    """Cut a long line to the surroundings of the error, with dots where it was cut."""
    begin = max(0, min(column - WINDOW // 2, len(line) - WINDOW))
    end = begin + WINDOW
    head, tail = ("…" if begin else ""), ("…" if end < len(line) else "")
    return head + line[begin:end] + tail, column - begin + len(head), min(width, end - column)
