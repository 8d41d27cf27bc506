"""Django's tags `translate` and `blocktranslate`, which look each text up once.

A panel of the desk has hundreds of texts, and Django looks each one up in several catalogues at
each rendering. These tags keep, per place in a template, the text in each language.
"""

from __future__ import annotations

from typing import Any, Final

from django.template import Context, Library, Node
from django.template.base import Parser, Token, Variable, render_value_in_context
from django.templatetags import i18n
from django.utils import translation

register = Library()

MOST_NUMBERS: Final = 100
"""The numbers whose texts are kept, as most that a page counts are small."""


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Return the node of a text; one that is no constant is Django's own."""
    node = i18n.do_translate(parser, token)
    given = node.filter_expression
    is_constant = isinstance(given.var, Variable) and given.var.literal is not None
    if not is_constant or given.filters or node.message_context or node.noop:
        return node
    return Constant(node)


@register.tag
def blocktranslate(parser: Parser, token: Token) -> Node:
    """Return the node of a text with placeholders; one with a context is Django's own."""
    node = i18n.do_block_translate(parser, token)
    return node if node.message_context or node.asvar else Block(node)


class Constant(Node):
    """A text without placeholders."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.name = node.asvar
        self.texts: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        """Return the text in the active language, or put it into the context."""
        language = translation.get_language()
        text = self.texts.get(language)
        if text is None:
            text = self.node.render(context)
            if self.name is not None:
                text = context[self.name]
            self.texts[language] = text
        if self.name is None:
            return text
        context[self.name] = text
        return ""


class Block(Node):
    """A text with placeholders, perhaps one that depends on a number."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.given = node.extra_context
        self.one, self.names = node.render_token_list(node.singular)
        self.many = None
        if node.plural:
            self.many, names = node.render_token_list(node.plural)
            self.names = list({*self.names, *names})
        self.texts: dict[tuple[str | None, Any], str] = {}

    def render(self, context: Context) -> str:
        """Return the text in the active language, with the values of its placeholders."""
        number = None if self.many is None else self.node.counter.resolve(context)
        key = (translation.get_language(), number)
        text = self.texts.get(key)
        if text is None:
            if self.many is None:
                text = translation.gettext(self.one)
            elif isinstance(number, int):
                text = translation.ngettext(self.one, self.many, number)
            else:
                return str(self.node.render(context))
            if number is None or 0 <= number < MOST_NUMBERS:
                self.texts[key] = text
        return text % {name: self._resolve(name, number, context) for name in self.names}

    def _resolve(self, name: str, number: Any, context: Context) -> str:
        if name in self.given:
            value = self.given[name].resolve(context)
        elif self.many is not None and name == self.node.countervar:
            value = number
        else:
            value = context.get(name, "")
        return str(render_value_in_context(value, context))
