"""The forms of boards, their tiles, and links to them."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.actions.boards import LEAST_TURN, MOST_DAYS, MOST_TURN, MOST_TURNS, USUAL_DAYS
from routing.core.tiles import (
    LONGEST_LABEL,
    MOST_TILES,
    BadTile,
    Tile,
    TileFigure,
    TileKind,
    TileWindow,
)
from supervisors.alert_words import add_unit
from supervisors.boards.drawing import FIGURES, KINDS
from supervisors.boards.values import WINDOWS


class BoardForm(forms.Form):
    """The name of a board, and when it is quiet."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=64)
    quiet_from = forms.RegexField(
        r"^([01]\d|2[0-3]):[0-5]\d$",
        label=gettext_lazy("Quiet from"),
        required=False,
        help_text=gettext_lazy("A time such as 18:30. A quiet board makes no sound."),
        widget=forms.TextInput({"placeholder": "18:30"}),
    )
    quiet_until = forms.RegexField(
        r"^([01]\d|2[0-3]):[0-5]\d$",
        label=gettext_lazy("Quiet until"),
        required=False,
        widget=forms.TextInput({"placeholder": "07:30"}),
    )


class TileForm(forms.Form):
    """One tile."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[(kind.value, words) for kind, words in KINDS.items()],
        initial=TileKind.NUMBER.value,
    )
    figure = forms.ChoiceField(
        label=gettext_lazy("Figure"),
        initial=TileFigure.WAITING.value,
    )
    window = forms.ChoiceField(
        label=gettext_lazy("Window"),
        choices=[(window.value, words) for window, words in WINDOWS.items()],
        initial=TileWindow.HALF_HOUR.value,
    )
    queues = forms.MultipleChoiceField(label=gettext_lazy("Queues"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    watch = forms.IntegerField(
        label=gettext_lazy("Watch at"), required=False, min_value=0, max_value=1_000_000
    )
    act = forms.IntegerField(
        label=gettext_lazy("Act at"), required=False, min_value=0, max_value=1_000_000
    )
    label = forms.CharField(label=gettext_lazy("Label"), required=False, max_length=LONGEST_LABEL)

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        queues = workspace.task_queues.order_by("friendly_name", "pk")
        channels = workspace.task_channels.order_by("friendly_name", "pk")
        chosen = self.fields["queues"], self.fields["channel"], self.fields["figure"]
        assert isinstance(chosen[0], forms.MultipleChoiceField)
        assert isinstance(chosen[1], forms.ChoiceField)
        assert isinstance(chosen[2], forms.ChoiceField)
        chosen[2].choices = [(figure.value, _name(figure)) for figure in FIGURES]
        chosen[0].choices = [(row.sid, row.friendly_name) for row in queues]
        chosen[1].choices = [
            ("", _("All channels")),
            *((row.unique_name, row.friendly_name) for row in channels),
        ]
        for field in self.fields.values():
            if not isinstance(field, forms.BooleanField):
                field.widget.attrs["class"] = "input"
        self.fields["queues"].widget.attrs["size"] = 3

    def clean(self) -> dict[str, Any]:
        """Return the values, with the tile that they make."""
        given = super().clean() or {}
        if self.errors:
            return given
        try:
            given["tile"] = Tile(
                kind=TileKind(given["kind"]),
                figure=TileFigure(given["figure"]),
                window=TileWindow(given["window"]),
                queues=tuple(given["queues"]),
                channel=given["channel"],
                watch=given["watch"],
                act=given["act"],
                label=given["label"].strip(),
            )
        except BadTile as error:
            self.add_error(error.field, str(error))
        return given


def _name(figure: TileFigure) -> str:
    """Return a figure with the unit of its limits."""
    return add_unit(FIGURES[figure], figure.unit)


TileFormSet: Final = forms.formset_factory(
    TileForm,
    extra=1,
    max_num=MOST_TILES,
    absolute_max=MOST_TILES + 1,
    validate_max=True,
    can_delete=True,
    can_order=True,
)


def list_tiles(formset: forms.BaseFormSet[TileForm]) -> list[Tile]:
    """Return the tiles of a valid formset in their order; an empty form is no tile."""
    return [form.cleaned_data["tile"] for form in formset.ordered_forms]


class LinkForm(forms.Form):
    """A link that shows boards without a login."""

    name = forms.CharField(label=gettext_lazy("Name of the screen"), max_length=64)
    boards = forms.MultipleChoiceField(
        label=gettext_lazy("Boards"),
        help_text=gettext_lazy("Several boards take turns."),
    )
    turn_seconds = forms.IntegerField(
        label=gettext_lazy("Seconds for each board"),
        min_value=LEAST_TURN,
        max_value=MOST_TURN,
        initial=30,
    )
    days = forms.IntegerField(
        label=gettext_lazy("Days until it ends"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=USUAL_DAYS,
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rows = {row.sid: row for row in workspace.boards.order_by("name", "pk")}
        field = self.fields["boards"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(sid, row.name) for sid, row in self._rows.items()]
        field.initial = list(self._rows) if len(self._rows) == 1 else []
        field.widget.attrs["size"] = min(max(len(self._rows), 2), 6)
        for each in self.fields.values():
            each.widget.attrs["class"] = "input"

    def clean_boards(self) -> list[models.Board]:
        """Return the boards in the order of their names."""
        chosen = self.cleaned_data["boards"]
        if len(chosen) > MOST_TURNS:
            raise ValidationError(_("At most %(most)d boards take turns.") % {"most": MOST_TURNS})
        return [row for sid, row in self._rows.items() if sid in chosen]
