"""Form fields for texts of many lines, which browsers send back with other line ends."""

from __future__ import annotations

from typing import Any

from django import forms

from workflows.forms import ConfigurationFormField, ExpressionFormField


def monospaced(rows: int) -> forms.Textarea:
    """Return a text area in which a caret stands under the character that it points at."""
    return forms.Textarea(
        attrs={
            "rows": rows,
            "class": "monospaced",
            "spellcheck": "false",
            "autocapitalize": "off",
            "autocomplete": "off",
        }
    )


class _Lines(forms.CharField):
    """A text that counts as changed only when more than its line ends differ."""

    def to_python(self, value: Any) -> Any:
        """Return the text with the line ends that it is stored with."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant, not how a browser sends it."""
        if self.disabled:
            return False
        return bool(self.to_python(initial or "") != self.to_python(data or ""))


class JSONText(_Lines):
    """A JSON text as people write it; the action says what is wrong with it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced(6))
        super().__init__(**options)


class ExpressionText(_Lines, ExpressionFormField):
    """An expression."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced(3))
        super().__init__(**options)


class ConfigurationText(_Lines, ConfigurationFormField):
    """A workflow's configuration.

    It may be a megabyte, so the page holds it once; the form itself notices who else changed it.
    """

    compares_itself = True

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced(26))
        super().__init__(**options)
