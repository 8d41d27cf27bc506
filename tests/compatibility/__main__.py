"""Write the pages that follow from the code, and the desk's help from the handbook."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.compatibility import comparison, event_table, handbook, lifecycle, page  # noqa: E402 - needs Django's settings

PAGES = {
    comparison.PAGE: page.render_page(),
    lifecycle.PAGE: lifecycle.render_page(),
    event_table.PAGE: event_table.page(),
    **{page: handbook.render_page(source) for source, page in handbook.PAGES.items()},
}
for path, text in PAGES.items():
    path.write_text(text)
    print(f"Wrote {path.name}.")  # noqa: T201 - the command reports what it did
