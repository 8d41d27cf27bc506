"""Form fields for multi-line texts, whose line ends browsers change."""

from __future__ import annotations

from typing import Any

from django import forms

from workflows.forms import ConfigurationFormField, ExpressionFormField


def monospaced_area(rows: int) -> forms.Textarea:
    """Return a monospaced text area, in which carets in messages line up."""
    return forms.Textarea(
        attrs={
            "rows": rows,
            "class": "monospaced",
            "spellcheck": "false",
            "autocapitalize": "off",
            "autocomplete": "off",
        }
    )


class Lines(forms.CharField):
    """A text field that ignores differences in line ends."""

    def to_python(self, value: Any) -> Any:
        """Return the text with the line ends used in storage."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the text differs in more than its line ends."""
        if self.disabled:
            return False
        return bool(self.to_python(initial or "") != self.to_python(data or ""))


class JSONText(Lines):
    """A text field for JSON; the action validates it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced_area(6))
        super().__init__(**options)


class ExpressionText(Lines, ExpressionFormField):
    """A text field for an expression."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced_area(3))
        super().__init__(**options)


class ConfigurationText(Lines, ConfigurationFormField):
    """A text field for a workflow's configuration.

    It may be a megabyte, so the page contains it only once. The form itself detects concurrent
    changes.
    """

    compares_itself = True

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", monospaced_area(26))
        super().__init__(**options)
