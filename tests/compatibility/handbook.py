"""The pages with the handbooks of desk and cockpit, rendered from docs/*.md."""

from __future__ import annotations

import html
import re
import struct
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.server import ROOT

PAGES: Final = {
    ROOT / "docs" / f"{app}.md": ROOT / "templates" / app / "_handbook.html"
    for app in ("agents", "supervisors")
}
"""The template of each handbook."""
_PICTURE: Final = re.compile(r'<img src="images/([a-z-]+\.png)" alt="([^"]*)" />')
_ANCHOR: Final = re.compile(r"&lt;a id=&quot;([a-z0-9-]{1,40})&quot;&gt;&lt;/a&gt;")
_KEY: Final = re.compile(r"&lt;kbd&gt;([^&]{1,12})&lt;/kbd&gt;")


def render_page(source: Path) -> str:
    """Return the template: the table of contents, and the text without its title.

    HTML in the source is escaped, except for the names of keys and for anchors of figures.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(source.read_text().partition("\n")[2])
    contents = [_name_heading(tokens, index) for index, token in enumerate(tokens) if _is_2(token)]
    text = parser.renderer.render(tokens, parser.options, {})
    # The braces of a template would be read by Django.
    text = text.replace("{", "&#123;").replace("}", "&#125;")
    text = _PICTURE.sub(lambda found: _show_picture(found[1], found[2]), text)
    text = _ANCHOR.sub(r'<a id="\1"></a>', text)
    text = _KEY.sub(r"<kbd>\1</kbd>", text)
    text = text.replace("<th>", '<th scope="col">')
    items = "".join(
        f'<li><a href="#{slug}">{html.escape(name)}</a></li>' for slug, name in contents
    )
    return (
        f"{{# Written by `make docs` from docs/{source.name}. #}}{{% load static %}}"
        '<nav class="help__contents" aria-label="{% translate "Contents" %}">'
        f"<ol>{items}</ol></nav>\n"
        f'<article class="help__text" lang="en" dir="ltr">\n{text.strip()}\n</article>\n'
    )


def _is_2(token: Token) -> bool:
    return token.type == "heading_open" and token.tag == "h2"


def _name_heading(tokens: list[Token], index: int) -> tuple[str, str]:
    """Give a heading an id, and return it with the heading's text."""
    name = tokens[index + 1].content
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    tokens[index].attrSet("id", slug)
    return slug, name


def _show_picture(name: str, text: str) -> str:
    """Return a picture with its size, so that the text below does not move."""
    head = (ROOT / "docs" / "images" / name).read_bytes()[16:24]
    width, height = struct.unpack(">II", head)
    return (
        f'<img src="{{% static "handbook/{name}" %}}" alt="{text}"'
        f' width="{width}" height="{height}" loading="lazy">'
    )
