"""Write docs/compatibility.md and docs/lifecycle.md."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.compatibility import comparison, lifecycle, page  # noqa: E402 - needs Django's settings

for path, text in {comparison.PAGE: page.page(), lifecycle.PAGE: lifecycle.page()}.items():
    path.write_text(text)
    print(f"Wrote {path.name}.")  # noqa: T201 - the command reports what it did
