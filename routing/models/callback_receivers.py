"""Callback receivers: their URL, lease and rest."""

from __future__ import annotations

from django.db import models


class CallbackReceiver(models.Model):
    """State shared by the callbacks of one workspace's events, or of one workflow's offers.

    It names its workspace or workflow by sid, because the last event of a workspace is its
    deletion.
    """

    sid = models.CharField("SID", max_length=34, editable=False)
    # The URL for events; assignment callbacks carry their own URLs.
    url = models.CharField(max_length=2048, blank=True, default="")
    # One runner at a time; the lease of a dead one expires.
    leased_until = models.DateTimeField(null=True, editable=False)
    # A receiver that accepts nothing rests for a while, longer each time.
    rests_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        db_table = "callback_receivers"
        constraints = [
            models.UniqueConstraint(fields=["sid"], name="callback_receivers_sid"),
        ]

    def __str__(self) -> str:
        return self.url or self.sid
