"""Callback receivers: who is posted to, whether somebody is at it, and whether they rest."""

from __future__ import annotations

from django.db import models


class CallbackReceiver(models.Model):
    """What callbacks of one workspace's events, or of one workflow's offers, have in common.

    It names its workspace or workflow by sid: the last event of a workspace is its end.
    """

    sid = models.CharField("SID", max_length=34, editable=False)
    # Where events go; the calls of offers carry their own addresses.
    url = models.CharField(max_length=2048, blank=True, default="")
    # One runner at a time; one that has died gives way when its time is over.
    leased_until = models.DateTimeField(null=True, editable=False)
    # A receiver that takes nothing is left alone for a while, longer each time.
    rests_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        db_table = "callback_receivers"
        constraints = [
            models.UniqueConstraint(fields=["sid"], name="callback_receivers_sid"),
        ]

    def __str__(self) -> str:
        return self.url or self.sid
