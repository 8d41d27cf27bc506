"""The catalogues of translations are complete, compiled, and fit the texts in the code."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pytest

from tests import messages
from tests.messages import COMPLETE, DOMAINS, IN_PROGRESS, LANGUAGES, Catalogue
from tests.required_programs import find_program

PLACEHOLDER: Final = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
MARKUP: Final = re.compile(r"<[^>]*>")

each_catalogue: Final = pytest.mark.parametrize(
    ("language", "domain"),
    [(language, domain) for language in LANGUAGES for domain in DOMAINS],
)


def read(language: str, domain: str) -> Catalogue:
    """Return what pages read: the compiled catalogue."""
    path = messages.catalogue_path(language, domain).with_suffix(".mo")
    return messages.read_compiled(path.read_bytes())


def source_of(key: str | tuple[str, int]) -> str:
    """Return the English text of an entry, without its context."""
    text = key if isinstance(key, str) else key[0]
    return text.split("\x04")[-1]


@each_catalogue
def test_the_compiled_catalogue_is_that_of_the_source(language: str, domain: str) -> None:
    find_program("msgfmt")
    source = messages.catalogue_path(language, domain).read_bytes()
    compiled = messages.read_compiled(messages.compile_catalogue(source))
    assert read(language, domain) == compiled, "run `make messages`"


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_of_the_desk_and_the_cockpit_is_translated(domain: str) -> None:
    find_program("xgettext")
    texts = messages.list_texts(domain, COMPLETE[domain], but=IN_PROGRESS[domain])
    assert len(texts) > 40
    for language in LANGUAGES:
        missing = sorted(texts - messages.list_keys(read(language, domain)))
        assert not missing, f"run `make messages`, and translate into {language}: {missing}"


@each_catalogue
def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(
    language: str, domain: str
) -> None:
    for key, text in read(language, domain).items():
        source = source_of(key)
        wanted, found = (set(PLACEHOLDER.findall(each)) for each in (source, text))
        # "One task" may have no number, and "five tasks" has one that the singular lacks.
        assert found == wanted or (isinstance(key, tuple) and len(wanted ^ found) == 1), text
        assert Counter(MARKUP.findall(text)) == Counter(MARKUP.findall(source)), text
        assert MARKUP.sub("", text).count('"') == MARKUP.sub("", source).count('"'), text
        assert not re.search(r"[<>&]", MARKUP.sub("", text)), text


@each_catalogue
def test_every_plural_form_is_translated(language: str, domain: str) -> None:
    forms = Counter(key[0] for key in read(language, domain) if isinstance(key, tuple))
    assert set(forms.values()) == {{"de": 2, "ar": 6}[language]}


@each_catalogue
def test_no_entry_is_uncertain(language: str, domain: str) -> None:
    assert "fuzzy" not in messages.catalogue_path(language, domain).read_text()
