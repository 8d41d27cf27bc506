"""Our tags `translate` and `blocktranslate` give what Django's own give, in each language."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Engine, engines
from django.utils import translation

PLAIN = Engine(builtins=["django.templatetags.i18n"])


def render(engine: Engine, source: str, values: dict[str, Any]) -> str:
    """Return a template's text, rendered twice: first looked up, then kept."""
    template = engine.from_string(source)
    first, second = template.render(Context(values)), template.render(Context(values))
    assert first == second
    return first


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Accept" %}',
        '{% translate "50 % & more" %}',
        '{% translate "Accept" as word %}{{ word }}, {{ word }}',
        "{% translate name %}",
        '{% translate name|upper %}{% translate "May" context "month name" %}',
        "{% blocktranslate %}priority {{ priority }}{% endblocktranslate %}",
        "{% blocktranslate with priority=name %}priority {{ priority }}{% endblocktranslate %}",
        "{% blocktranslate %}50 % of {{ nothing }}{% endblocktranslate %}",
        "{% blocktranslate trimmed %}\n  priority\n  {{ priority }}\n{% endblocktranslate %}",
        "{% blocktranslate asvar words %}priority {{ priority }}{% endblocktranslate %}{{ words }}",
        "{% blocktranslate count n=number %}{{ n }} a{% plural %}{{ n }} b{% endblocktranslate %}",
        "{% translate 'Offers' noop %}",
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2, 5, 1000])
def test_a_tag_gives_what_django_s_own_gives(language: str, source: str, number: int) -> None:
    ours = engines["django"].engine  # type: ignore[attr-defined]
    values = {"name": "<Ann>", "priority": number, "number": number}
    with translation.override(language):
        assert render(ours, source, values) == render(PLAIN, source, values)


def test_a_template_changes_its_language() -> None:
    ours = engines["django"].engine  # type: ignore[attr-defined]
    template = ours.from_string('{% translate "Accept" %}')
    found = []
    for language in ("de", "en", "de"):
        with translation.override(language):
            found.append(template.render(Context()))
    assert found == ["Annehmen", "Accept", "Annehmen"]
