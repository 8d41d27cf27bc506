"""The repository is written in plain English, and its docstrings quote names that exist.

Texts for users are exempt: string literals of Python and JavaScript, and what templates show.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.server import ROOT

PLACES: Final = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "docs", "tests"),
    *("agents", "config", "routing", "static", "supervisors", "templates", "workflows"),
)
"""Folders and files whose docstrings, comments, pages and names of tests are checked."""

BANNED: Final = re.compile(
    r"(?<![a-z])(?:whoever|whom|nobody|somebody|anew|meanwhile)(?![a-z])", re.IGNORECASE
)
BANNED_OPENINGS: Final = re.compile(r"\s*(?:Say|Tell|Be|Have|Know)\b")
QUOTED_NAME: Final = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)(?:\(\))?`(?!`)")
FOREIGN_NAMES: Final = frozenset({"_pg3_0", "collectstatic", "nohup", "pg_stat_activity"})
"""Names of other programs, which docstrings quote and our code does not mention."""
COMMENTS: Final = {
    ".html": re.compile(
        r"{#.*?#}|<!--.*?-->|{% comment.*?{% endcomment %}|(?<!:)//[^\n]*", re.DOTALL
    ),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL),
}
"""What is read of files that hold texts for users, too; pages of docs are read whole."""

Line = tuple[int, str]


def files(places: tuple[str, ...], *suffixes: str) -> Iterator[Path]:
    """Yield the files of some places, without what was vendored, migrated or installed."""
    for place in places:
        path = ROOT / place
        for each in [path] if path.is_file() else sorted(path.rglob("*")):
            parts = set(each.relative_to(ROOT).parts)
            if each.suffix in suffixes and not parts & {"vendor", "migrations", "node_modules"}:
                yield each


@functools.cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text())


def docstrings(tree: ast.Module) -> Iterator[Line]:
    """Yield the docstrings of a module, its classes and functions, and of constants."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else ():
            match child:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield child.lineno, text


def comments(source: str) -> Iterator[Line]:
    """Yield the comments of a Python file."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def names(tree: ast.Module) -> Iterator[Line]:
    """Yield the names of a module's tests."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test_"):
                    yield node.lineno, name


def identifiers(tree: ast.Module) -> Iterator[str]:
    """Yield the names in a module's code and the words of its texts, docstrings left out."""
    quoted = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                yield from name.split(".")
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")
            case ast.Constant(value=str(text)) if id(node) not in quoted:
                yield from re.findall(r"\w+", text)


def prose(path: Path) -> Iterator[Line]:
    """Yield what a file says to those who read its source."""
    text = path.read_text()
    if path.suffix == ".py":
        yield from docstrings(parse(path))
        yield from comments(text)
    elif path.suffix in COMMENTS:
        for found in COMMENTS[path.suffix].finditer(text):
            yield text.count("\n", 0, found.start()) + 1, found[0]
    else:
        yield from enumerate(text.splitlines(), 1)


def faults(path: Path, lines: Iterator[Line], pattern: re.Pattern[str]) -> list[str]:
    """Return each match of a pattern, with the place at which a reader finds it."""
    # Most files have none of the words anywhere, and need no look at their comments.
    if not pattern.search(path.read_text()):
        return []
    return [
        f"{path.relative_to(ROOT)}:{number}: {found[0].strip()!r}"
        for number, text in lines
        if path != Path(__file__)
        for found in pattern.finditer(text)
    ]


def test_docs_comments_and_docstrings_use_no_riddling_words() -> None:
    checked = list(files(PLACES, ".py", ".md", ".html", ".js", ".css"))
    assert {ROOT / "README.md", ROOT / "docs" / "adr" / "0006-lanes.md"} <= set(checked)
    assert not [fault for path in checked for fault in faults(path, prose(path), BANNED)]


def test_names_of_tests_use_no_riddling_words() -> None:
    assert not [
        fault for path in files(PLACES, ".py") for fault in faults(path, names(parse(path)), BANNED)
    ]


def test_docstrings_begin_with_a_noun_or_a_plain_verb() -> None:
    assert not [
        f"{path.relative_to(ROOT)}:{number}: {text.strip()[:40]!r}"
        for path in files(PLACES, ".py")
        for number, text in docstrings(parse(path))
        if BANNED_OPENINGS.match(text)
    ]


def test_names_that_docstrings_quote_exist() -> None:
    code = {path: parse(path) for path in files(PLACES, ".py")}
    known = {name for tree in code.values() for name in identifiers(tree)}
    known |= {part for path in code for part in (path.stem, path.parent.name)} | FOREIGN_NAMES
    assert not [
        f"{path.relative_to(ROOT)}:{number}: {name}"
        for path, tree in code.items()
        for number, text in docstrings(tree)
        for name in QUOTED_NAME.findall(text)
        if not known.issuperset(name.split("."))
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "Whoever asks is told."),
        ("module.py", '"""Return whom a task waits for."""\n'),
        ("module.py", "x = 1  # nobody reads this\n"),
        ("module.py", 'def f():\n    """Return.\n\n    Somebody else asks.\n    """\n'),
        ("page.html", "<p>ok</p>\n{# meanwhile #}\n"),
        ("script.js", "let x = 1; // read anew\n"),
    ],
)
def test_a_riddling_word_is_found(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert [found for _, line in prose(path) for found in BANNED.findall(line)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("module.py", 'SHOWN = "Nobody is free."\n'),
        ("page.html", "<p>Nobody is free.</p>\n"),
        ("script.js", 'show("Nobody is free.");\n'),
    ],
)
def test_a_text_for_users_is_exempt(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert not [found for _, line in prose(path) for found in BANNED.findall(line)]
