"""Split source text into tokens, by a table of patterns and one of syntax of other languages."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import ExpressionSyntaxError


class Token(NamedTuple):
    """A token of the source; `kind` is the name of its pattern."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """Return the token's place."""
        return self.start, self.end

    @property
    def word(self) -> str:
        """Return the upper-case word of a name, for keywords; else an empty text."""
        return self.text.upper() if self.kind == "name" else ""


_PATTERNS = {
    "space": r"\s+",
    "string": r'"[^"\\]*(?:\\.[^"\\]*)*"' + r"|'[^'\\]*(?:\\.[^'\\]*)*'",
    "number": r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
    "name": r"(?:[^\W\d]|\$)[\w$]*",
    "operator": r"==|!=|>=|<=|>-|<-|=|>|<",
    "(": r"\(",
    ")": r"\)",
    "[": r"\[",
    "]": r"\]",
    ",": r",",
    ".": r"\.",
}
_TOKEN = re.compile(
    "|".join(f"(?P<t{index}>{pattern})" for index, pattern in enumerate(_PATTERNS.values())),
    re.DOTALL,
)
_KINDS = dict(enumerate(_PATTERNS, start=1))

_ARITHMETIC = "Arithmetic is not part of the language"
_FOREIGN = [
    (re.compile(pattern), message)
    for pattern, message in (
        (r"&&?", "Write AND to join conditions"),
        (r"\|\|?", "Write OR to join conditions"),
        (r"===|!==", "Write == or != to compare"),
        (r"=>|=<", "Write >= or <= to compare"),
        (r"<>", "Write != for “differs from”"),
        (r"=~|!~|~", "Patterns are not part of the language; CONTAINS finds a piece of text"),
        (r"!(?!=)", "There is no “!” alone; write != or NOT IN, or turn the comparison round"),
        (
            r">-(?=\.?[0-9])",
            "“>-” means HAS; write HAS, or put a space before a negative number",
        ),
        (
            r"<-(?=\.?[0-9])",
            "“<-” means IN; write IN, or put a space before a negative number",
        ),
        (r"[+*/%^]", _ARITHMETIC),
        (r"[“”„‘’]", "Use straight quotes, \" or ', around a text"),
    )
]
_HYPHENATED = re.compile(r"-[\w$-]*")


def tokenize(source: str) -> list[Token]:
    """Return the tokens of `source`, without white space, closed by one of kind "end".

    Raises ExpressionSyntaxError at the first character that begins no token.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        for pattern, message in _FOREIGN:
            if found := pattern.match(source, position):
                raise ExpressionSyntaxError(message, source=source, span=found.span())
        match = _TOKEN.match(source, position)
        if match is None:
            raise _unreadable(source, position, tokens)
        token = Token(_KINDS[match.lastindex or 0], match.group(), position, match.end())
        if token.text.startswith("-"):
            _refuse_subtraction(source, token.start, tokens)
        if token.kind != "space":
            tokens.append(token)
        position = match.end()
    end = len(source.rstrip())
    tokens.append(Token("end", "", end, end))
    return tokens


def _refuse_subtraction(source: str, position: int, tokens: list[Token]) -> None:
    """Refuse a minus sign after a value, where it does not begin a negative number."""
    previous = tokens[-1] if tokens else None
    if previous is None or previous.kind not in ("name", "number", "string", "]", ")"):
        return
    if previous.kind == "name" and previous.end == position:
        # HAS -5 has a space; a name directly before the hyphen was meant to continue.
        whole = _HYPHENATED.match(source, position)
        end = whole.end() if whole else position + 1
        joined = source[previous.start : end].strip("-").replace("-", "_")
        raise ExpressionSyntaxError(
            f"A hyphen cannot be part of an attribute name; rename the attribute, "
            f"for example {joined}",
            source=source,
            span=(previous.start, end),
        )
    if previous.kind == "name" and previous.word in ("IN", "HAS", "CONTAINS", "AND", "OR", "NOT"):
        return
    raise ExpressionSyntaxError(_ARITHMETIC, source=source, span=(position, position + 1))


def _unreadable(source: str, position: int, tokens: list[Token]) -> ExpressionSyntaxError:
    """Return the error for a character that begins no token."""
    character = source[position]
    if character == "-":
        try:
            _refuse_subtraction(source, position, tokens)
        except ExpressionSyntaxError as error:
            return error
    if character in "\"'":
        message = f"The text that begins here has no closing {character}"
    elif character == "-":
        message = "A minus sign must stand directly before the digits of a number"
    elif character == "!":
        message = "Write != for “differs from”"
    else:
        message = f"The character {character!r} has no meaning here"
    return ExpressionSyntaxError(message, source=source, span=(position, position + 1))
