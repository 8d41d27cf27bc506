"""SQL that the ORM does not build lies in `routing/db/sql`, each text with a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.apps import apps

from routing.db.sql.index_hints import INDEXES
from tests.server import ROOT

SQL: Final = re.compile(
    r"\bSELECT\b.*\bFROM\b|\bUPDATE\b.*\bSET\b|\bINSERT INTO\b|\bDELETE FROM\b", re.DOTALL
)
FOLDER: Final = ROOT / "routing" / "db" / "sql"


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the string constants of a module, without docstrings; f-strings with empty slots."""
    docs = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=parts):
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else "" for p in parts)
            case ast.Constant(value=str(text)) if node not in docs:
                yield text


def sources() -> Iterator[Path]:
    """Yield the files of production code that may hold no SQL: all but `config`, and migrations."""
    for app in ("agents", "supervisors", "routing", "workflows"):
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts and FOLDER not in path.parents:
                yield path


def test_sql_lies_in_one_folder() -> None:
    checked = list(sources())
    assert ROOT / "routing" / "housekeeping.py" in checked
    assert not [
        f"{path.relative_to(ROOT)}: {text.strip()[:60]!r}"
        for path in checked
        for text in texts(ast.parse(path.read_text()))
        if SQL.search(text)
    ]


@pytest.mark.parametrize(
    "line",
    [
        'cursor.execute("SELECT 1 FROM tasks")',
        'TEXT = """\n    UPDATE tasks\n    SET version = 1\n"""',
        'text = f"INSERT INTO {table} VALUES (%s)"',
        'text = ("DELETE "\n    "FROM tasks")',
    ],
)
def test_a_text_elsewhere_is_found(line: str) -> None:
    assert [text for text in texts(ast.parse(line)) if SQL.search(text)]


def test_a_docstring_may_name_a_statement() -> None:
    line = '"""Send SELECT FROM twice."""\n'
    assert not [text for text in texts(ast.parse(line)) if SQL.search(text)]


def test_each_text_has_a_sentence() -> None:
    for path in sorted(FOLDER.glob("*.py")):
        body = ast.parse(path.read_text()).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                    has_sentence = isinstance(after, ast.Expr)
                    assert has_sentence, f"{path.name}: {name}"


def test_indexes_of_hints_exist() -> None:
    existing = {index.name for model in apps.get_models() for index in model._meta.indexes}
    assert set(INDEXES) <= existing
