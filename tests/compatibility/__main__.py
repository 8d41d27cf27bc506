"""Write docs/compatibility.md anew."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.compatibility import comparison, page  # noqa: E402 - needs Django's settings

comparison.PAGE.write_text(page.page())
print(f"Wrote {comparison.PAGE.name}.")  # noqa: T201 - a command's last word
