"""Update the catalogues of translations from the code, and compile them: `make messages`.

`xgettext`, `msgmerge` and `msgfmt` are of the package gettext. Only this and its test need them:
the compiled catalogues are in the repository.
"""

from __future__ import annotations

import gettext
import io
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from django.utils.translation.template import templatize

from tests.server import ROOT

LOCALE: Final = ROOT / "config" / "locale"
LANGUAGES: Final = ("de", "ar")
DOMAINS: Final = ("django", "djangojs")

COMPLETE: Final[Mapping[str, tuple[str, ...]]] = {
    "django": (
        *("agents/**/*.py", "config/**/*.py", "routing/**/*.py", "supervisors/**/*.py"),
        *("templates/*.html", "templates/agents/*.html", "templates/shared/*.html"),
        *("templates/registration/*.html", "templates/supervisors/**/*.html"),
    ),
    "djangojs": ("static/agents/*.js", "static/shared/*.js", "static/supervisors/*.js"),
}
"""The files whose texts are translated into every language, by domain."""

IN_PROGRESS: Final[Mapping[str, tuple[str, ...]]] = {
    "django": (),
    "djangojs": (),
}
"""Those of them whose texts may still lack translations."""

KEYWORDS: Final = (
    *("gettext_noop", "gettext_lazy", "ngettext_lazy:1,2", "pgettext:1c,2", "npgettext:1c,2,3"),
    *("pgettext_lazy:1c,2", "npgettext_lazy:1c,2,3"),
)
HEADERS_LEFT_OUT: Final = (b'"POT-Creation-Date:', b'"Report-Msgid-Bugs-To:', b'"Plural-Forms:')
Catalogue = Mapping[str | tuple[str, int], str]


def main() -> None:
    """Update and compile every catalogue, and print what the desk lacks."""
    for domain in DOMAINS:
        patterns = COMPLETE[domain]
        template, texts = extract(domain, patterns), list_texts(domain, patterns)
        binding = list_texts(domain, patterns, but=IN_PROGRESS[domain])
        for language in LANGUAGES:
            path = catalogue_path(language, domain)
            merged = _run("msgmerge", "--no-fuzzy-matching", *STYLE, str(path), "-", given=template)
            path.write_bytes(_run("msgattrib", "--no-obsolete", *STYLE, given=merged))
            compiled = compile_catalogue(path.read_bytes())
            path.with_suffix(".mo").write_bytes(compiled)
            missing = texts - list_keys(read_compiled(compiled))
            for text in sorted(missing & binding):
                print(f"{language}: not translated: {text}")  # noqa: T201
            print(f"{path.name} {language}: {len(missing)} of {len(texts)} lack")  # noqa: T201


STYLE: Final = ("--no-wrap", "--add-location=file", "--sort-by-file")
"""Options by which a change of the code moves no other entries."""


def catalogue_path(language: str, domain: str) -> Path:
    """Return the path of a catalogue that people edit."""
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def extract(domain: str, patterns: Iterable[str], *, but: Iterable[str] = ()) -> bytes:
    """Return a catalogue of all texts in these files, without translations; empty without files.

    Arguments:
        but: patterns of files that are left out.
    """
    left_out = {path for pattern in but for path in ROOT.glob(pattern)}
    names = sorted(
        str(path.relative_to(ROOT))
        for path in {path for pattern in patterns for path in ROOT.glob(pattern)} - left_out
        if "migrations" not in path.parts
    )
    if not names:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            source = (ROOT / name).read_text()
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(templatize(source) if name.endswith(".html") else source)
        found = _run(
            *("xgettext", "--output=-", "--from-code=UTF-8", "--add-comments=Translators"),
            *("--language=JavaScript" if domain == "djangojs" else "--language=Python", *STYLE),
            *(f"--keyword={keyword}" for keyword in KEYWORDS),
            *names,
            folder=folder,
        )
    # The catalogues keep their own plural forms, and no moment that would change them each time.
    return b"".join(
        line.replace(b"charset=CHARSET", b"charset=UTF-8")
        for line in found.splitlines(keepends=True)
        if not line.startswith(HEADERS_LEFT_OUT)
    )


def compile_catalogue(text: bytes) -> bytes:
    """Return the compiled form of a catalogue."""
    return _run("msgfmt", "--check-format", "--output-file=-", "-", given=text)


def read_compiled(content: bytes) -> Catalogue:
    """Return the translations of a compiled catalogue; the forms of plurals have a number."""
    entries = gettext.GNUTranslations(io.BytesIO(content))._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in entries.items() if key}


def list_texts(domain: str, patterns: Iterable[str], *, but: Iterable[str] = ()) -> set[str]:
    """Return the keys of all texts in these files, but for some."""
    template = extract(domain, patterns, but=but)
    if not template:
        return set()
    english = _run("msgen", "-", given=template)
    return list_keys(read_compiled(compile_catalogue(english)))


def list_keys(catalogue: Catalogue) -> set[str]:
    """Return the keys of a catalogue, each once whatever its forms."""
    return {key if isinstance(key, str) else key[0] for key in catalogue}


def _run(*command: str, given: bytes = b"", folder: str | None = None) -> bytes:
    return subprocess.run(command, input=given, cwd=folder, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
