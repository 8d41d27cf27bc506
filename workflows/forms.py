"""Form fields for the workflow language; each shows errors with their place."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workflows.configuration import ConfigurationError, parse_configuration
from workflows.expressions import compile_expression

from .expressions import ExpressionSyntaxError, Subject


class _Monospaced(forms.Textarea):
    """A monospaced text area, in which carets in messages line up."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            attrs={
                "rows": rows,
                "cols": 100,
                "spellcheck": "false",
                "autocapitalize": "off",
                "autocomplete": "off",
                "class": "monospaced",
            }
        )


class ExpressionFormField(forms.CharField):
    """A field for an expression over `subject`; `required` handles an empty value."""

    def __init__(self, *, subject: Subject, **options: Any) -> None:
        options.setdefault("widget", _Monospaced(rows=3))
        super().__init__(**options)
        self.subject: Subject = subject

    def validate(self, value: Any) -> None:
        """Refuse a text that does not compile, with the place of the error."""
        super().validate(value)
        if value in self.empty_values:
            return
        try:
            compile_expression(value, subject=self.subject)
        except ExpressionSyntaxError as error:
            raise ValidationError(str(error), code="expression") from error


class ConfigurationFormField(forms.CharField):
    """A field for a workflow's configuration.

    `queue_sids` returns the sids of the workspace's queues at validation; without it, the existence
    of queues is not checked. A form may set it in its own `__init__`.
    """

    def __init__(
        self, *, queue_sids: Callable[[], Collection[str]] | None = None, **options: Any
    ) -> None:
        options.setdefault("widget", _Monospaced(rows=30))
        super().__init__(**options)
        self.queue_sids = queue_sids

    def validate(self, value: Any) -> None:
        """Refuse a document that does not parse, with every problem and its path."""
        super().validate(value)
        if value in self.empty_values:
            return
        try:
            parse_configuration(
                value, queue_sids=None if self.queue_sids is None else self.queue_sids()
            )
        except ConfigurationError as error:
            raise ValidationError(
                [ValidationError(str(problem), code="configuration") for problem in error.problems]
            ) from error
