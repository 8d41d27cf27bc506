"""Parse tokens into a tree: one function per grammar rule, with its EBNF as the docstring."""

from __future__ import annotations

import re
from collections.abc import Callable

from workflows.expressions.nodes import (
    MAXIMUM_DIGITS,
    And,
    Comparison,
    ListOf,
    Literal,
    Node,
    Operand,
    Or,
    Path,
    Segment,
    join,
    literal,
)

from .errors import ExpressionSyntaxError
from .lexer import Token, tokenize
from .operators import OPERATORS
from .subjects import SUBJECTS, Subject

MAXIMUM_LENGTH = 10_000  # characters that a person may write
MAXIMUM_DEPTH = 100  # parentheses inside each other

_ALIASES = {"=": "==", ">-": "HAS", "<-": "IN"}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}
_JOINING = ("AND", "OR")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {'"': '"', "'": "'", "\\": "\\", "n": "\n", "t": "\t"}
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class Parser:
    """Parses one source text from left to right."""

    def __init__(self, source: str, *, subject: Subject) -> None:
        rule = SUBJECTS[subject]
        if rule.limited and len(source) > MAXIMUM_LENGTH:
            raise ExpressionSyntaxError(
                f"The text has {len(source):,} characters; at most {MAXIMUM_LENGTH:,} are allowed",
                source=source,
                span=(MAXIMUM_LENGTH, MAXIMUM_LENGTH + 1),
            )
        self.source = source
        self.rule = rule
        self.tokens = tokenize(source)
        self.index = 0
        self.depth = 0
        # Paths without a prefix that were read under the assumed root, in source order.
        self.bare: dict[tuple[Segment, ...], tuple[int, int]] = {}

    @property
    def token(self) -> Token:
        """Return the next token."""
        return self.tokens[self.index]

    def take(self, kind: str) -> Token | None:
        """Consume and return the next token if it has this kind or is this keyword."""
        token = self.token
        if token.kind != kind and (not token.word or token.word != kind):
            return None
        self.index += 1
        return token

    def fail(self, message: str, span: tuple[int, int] | None = None) -> ExpressionSyntaxError:
        """Return an error at `span`, or at the next token."""
        return ExpressionSyntaxError(message, source=self.source, span=span or self.token.span)

    def text_since(self, start: int) -> str:
        """Return the text consumed since `start`, shortened for messages."""
        text = self.source[start : self.tokens[self.index - 1].end]
        return text if len(text) <= 60 else f"{text[:59]}…"

    def whole(self) -> Node:
        """whole = expression , end ;"""
        if self.token.kind == "end":
            raise self.fail("The expression is empty")
        node = self.expression()
        token = self.token
        if token.kind == ")":
            raise self.fail("This closing parenthesis has no opening one")
        if token.kind != "end":
            raise self.fail("Expected AND, OR or the end of the expression")
        return node

    def expression(self) -> Node:
        """expression = or_expr ;"""
        return self.or_expr()

    def or_expr(self) -> Node:
        """or_expr = and_expr , { OR , and_expr } ;"""
        return self.chain(Or, "OR", self.and_expr)

    def and_expr(self) -> Node:
        """and_expr = factor , { AND , factor } ;"""
        return self.chain(And, "AND", self.factor)

    def chain(self, kind: type[And] | type[Or], word: str, rule: Callable[[], Node]) -> Node:
        """Parse `rule` once or more, separated by `word`."""
        operands = [rule()]
        while self.take(word):
            operands.append(rule())
        return join(kind, operands)

    def factor(self) -> Node:
        """factor = "(" , expression , ")" | comparison ;"""
        opening = self.take("(")
        if opening is None:
            if self.token.word == "NOT":
                raise self.fail("NOT stands only in NOT IN; write != or turn the comparison round")
            return self.comparison()
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise self.fail(f"More than {MAXIMUM_DEPTH} parentheses are nested", opening.span)
        node = self.expression()
        if not self.take(")"):
            if self.token.kind == "end":
                raise self.fail("This parenthesis is never closed", opening.span)
            raise self.fail("Expected AND, OR or a closing parenthesis")
        self.depth -= 1
        return node

    def comparison(self) -> Node:
        """comparison = operand , operator , operand ;"""
        start = self.token.start
        left = self.operand()
        operator = self.operator(start)
        return Comparison(left, operator, self.operand())

    def operator(self, start: int) -> str:
        """operator = "==" | "=" | "!=" | ">=" | "<=" | ">" | "<"
        | HAS | ">-" | NOT , IN | IN | "<-" | CONTAINS ;"""
        token = self.token
        if symbol := self.take("operator"):
            return _ALIASES.get(symbol.text, symbol.text)
        if self.take("NOT"):
            if self.take("IN"):
                return "NOT IN"
            raise self.fail("Expected IN after NOT")
        if token.word in OPERATORS:
            self.index += 1
            return token.word
        subject = self.text_since(start)
        if token.kind == "(" and self.tokens[self.index - 1].kind == "name":
            raise self.fail("Functions are not part of the language", (start, token.end))
        if token.kind == "number" and token.start == self.tokens[self.index - 1].end:
            raise self.fail("A name cannot begin with a digit; a place in a list is written [0]")
        names = ", ".join(OPERATORS)
        raise self.fail(f"Expected an operator after {subject} (one of {names})")

    def operand(self) -> Operand:
        """operand = literal | list | path ;"""
        token = self.token
        if token.kind == "[":
            return self.list()
        if token.kind in ("string", "number") or token.word in _CONSTANTS:
            return self.literal()
        if token.kind == "name" and token.word not in (*_JOINING, "NOT", "IN", "HAS", "CONTAINS"):
            return self.path()
        if token.kind == "(":
            raise self.fail("Expected a value; parentheses go around whole conditions")
        raise self.fail("Expected a value: an attribute, a text, a number or a list")

    def list(self) -> ListOf:
        """list = "[" , [ literal , { "," , literal } ] , "]" ;"""
        opening = self.take("[")
        span = opening.span if opening else self.token.span
        items: list[Literal] = []
        if self.take("]"):
            return ListOf(())
        while True:
            items.append(self.literal())
            if self.take("]"):
                return ListOf(tuple(items))
            if not self.take(","):
                if self.token.kind == "end":
                    raise self.fail("This list is never closed", span)
                raise self.fail("Expected a comma or the closing ] of the list")

    def literal(self) -> Literal:
        """literal = string | number | TRUE | FALSE | NULL ;"""
        token = self.token
        if token.kind == "string":
            self.index += 1
            return literal(_ESCAPE.sub(lambda found: self.unescape(token, found), token.text[1:-1]))
        if token.kind == "number":
            self.index += 1
            if len(token.text.lstrip("-")) > MAXIMUM_DIGITS:
                raise self.fail(f"A number has at most {MAXIMUM_DIGITS:,} digits", token.span)
            return literal(float(token.text) if "." in token.text else int(token.text))
        if token.word in _CONSTANTS:
            self.index += 1
            return literal(_CONSTANTS[token.word])
        if token.kind == "end":
            raise self.fail("Expected a text, a number, true, false or null")
        raise self.fail("A list holds only texts, numbers, true, false and null")

    def unescape(self, token: Token, found: re.Match[str]) -> str:
        r"""char = any character | "\" , ( '"' | "'" | "\" | "n" | "t" | "u" , 4 * hex digit ) ;"""
        code = found.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code in _ESCAPED:
            return _ESCAPED[code]
        start = token.start + 1 + found.start()
        raise self.fail(
            "Unknown escape; a backslash itself is written twice",
            (start, start + 2),
        )

    def path(self) -> Path:
        """path = segment , { "." , segment | "[" , digit , { digit } , "]" } ;"""
        first = self.token
        self.index += 1
        segments: list[Segment] = [first.text]
        while True:
            if self.take("."):
                segments.append(self.segment(first.start))
            elif self.take("["):
                segments.append(self.position())
            else:
                break
        resolved = self.rule.resolve(tuple(segments))
        span = (first.start, self.tokens[self.index - 1].end)
        if isinstance(resolved, str):
            raise self.fail(resolved, span)
        if resolved.root == self.rule.assumed and resolved.segments == tuple(segments):
            self.bare.setdefault(resolved.segments, span)
        return resolved

    def segment(self, start: int) -> str:
        """segment = ( letter | "_" | "$" ) , { letter | digit | "_" | "$" } ;"""
        token = self.token
        if token.kind != "name":
            raise self.fail(f"Expected a name after {self.text_since(start)}")
        self.index += 1
        return token.text

    def position(self) -> int:
        """position = digit , { digit } ;  (between brackets)"""
        token = self.token
        if not _DIGITS.fullmatch(token.text) or len(token.text) > 18:
            raise self.fail("Expected a position in the list: 0 for the first, 1 for the second …")
        self.index += 1
        if not self.take("]"):
            raise self.fail("Expected ] after the position")
        return int(token.text)


def parse(source: str, *, subject: Subject) -> Node:
    """Return the tree of `source`, as written; raises ExpressionSyntaxError."""
    return Parser(source, subject=subject).whole()
