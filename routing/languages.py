"""The languages of the pages: which one a request gets, and lists written in it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.utils.translation import get_supported_language_variant, pgettext
from django.utils.translation.trans_real import parse_accept_lang_header

LONGEST_HEADER: Final = 500


def choose_language(user: Any, accepted: str) -> str:
    """Return the language that a user has chosen, else the first that their browser accepts.

    Arguments:
        user: a user whose session was loaded, or an anonymous one.
        accepted: the value of the header Accept-Language.
    """
    chosen = getattr(user, "language", None)
    return chosen if chosen in dict(settings.LANGUAGES) else find_accepted_language(accepted)


def find_accepted_language(accepted: str) -> str:
    """Return the first of the accepted languages that the pages have; English without one."""
    return _find_accepted_language(accepted[:LONGEST_HEADER].lower())


@functools.lru_cache(maxsize=256)
def _find_accepted_language(accepted: str) -> str:
    for code, _quality in parse_accept_lang_header(accepted):
        if code == "*":
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)


def join_list(parts: Iterable[str]) -> str:
    """Join the parts of a list by the comma of the active language."""
    return pgettext("between the parts of a list", ", ").join(parts)
