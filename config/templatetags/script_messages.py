"""Bring the texts of scripts in the language of the page, without a request of their own."""

from __future__ import annotations

import functools
import gettext
import json

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

DOMAIN = "djangojs"


@register.simple_tag
def script_messages() -> SafeString:
    """Return the attribute of the body that static/shared/messages.js reads; English needs none."""
    return _build_attribute(get_language() or settings.LANGUAGE_CODE)


@functools.cache
def _build_attribute(language: str) -> SafeString:
    found = gettext.translation(
        DOMAIN, settings.LOCALE_PATHS[0], languages=[language], fallback=True
    )
    texts: dict[str, str | list[str]] = {}
    for key, text in sorted(getattr(found, "_catalog", {}).items(), key=lambda entry: str(entry)):
        if isinstance(key, tuple):
            forms = texts.setdefault(key[0], [])
            assert isinstance(forms, list)
            forms.append(text)
        elif key:
            texts[key] = text
    if not texts:
        return SafeString("")
    content = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    return format_html(' data-messages="{}"', content)
