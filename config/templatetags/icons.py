"""Draw an icon in a template: `{% icon "check" %}`."""

from __future__ import annotations

import functools

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@functools.lru_cache(maxsize=64)
def icon(name: str) -> SafeString:
    """Return an icon of static/shared/icons.svg. A panel draws a hundred, so they are cached."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("shared/icons.svg"),
        name,
    )
