"""Describe the instructions that a reservation can be given.

Two of them answer an offer. The others control telephone calls. There is no telephone network here,
so their parameters are checked and then they are refused as not implemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from routing import models
from routing.api import inputs
from routing.api.inputs import Param
from routing.core.vocabulary import ReservationStatus

ANSWERS: Final = {
    "accept": ReservationStatus.ACCEPTED,
    "reject": ReservationStatus.REJECTED,
}
_CALL_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_METHODS: Final = ("GET", "POST")


def _activity(name: str) -> Param:
    return inputs.reference(name, models.Activity, "WA", argument=name)


TELEPHONY: Final[Mapping[str, tuple[Param, ...]]] = {
    "call": (
        inputs.text("CallFrom", required=True),
        inputs.text("CallUrl", required=True),
        inputs.text("CallTo"),
        inputs.text("CallRecord"),
        inputs.whole("CallTimeout", most=999),
        inputs.text("CallStatusCallbackUrl"),
        inputs.boolean("CallAccept"),
    ),
    "conference": (
        inputs.text("To"),
        inputs.text("From"),
        inputs.whole("Timeout", most=999),
        inputs.text("StatusCallback"),
        inputs.one_of("StatusCallbackMethod", _METHODS),
        inputs.one_of("StatusCallbackEvent", _CALL_EVENTS, many=True),
        inputs.boolean("Record"),
        inputs.boolean("Muted"),
        inputs.text("Beep"),
        inputs.boolean("StartConferenceOnEnter"),
        inputs.boolean("EndConferenceOnExit"),
        inputs.boolean("EndConferenceOnCustomerExit"),
        inputs.boolean("BeepOnCustomerEntrance"),
        inputs.text("WaitUrl"),
        inputs.one_of("WaitMethod", _METHODS),
        inputs.boolean("EarlyMedia"),
        inputs.whole("MaxParticipants", least=2, most=250),
        inputs.text("ConferenceStatusCallback"),
        inputs.one_of("ConferenceStatusCallbackMethod", _METHODS),
        inputs.one_of(
            "ConferenceStatusCallbackEvent",
            ("start", "end", "join", "leave", "mute", "hold", "speaker"),
            many=True,
        ),
        inputs.text("ConferenceRecord"),
        inputs.text("ConferenceTrim"),
        inputs.text("RecordingChannels"),
        inputs.text("RecordingStatusCallback"),
        inputs.one_of("RecordingStatusCallbackMethod", _METHODS),
        inputs.text("ConferenceRecordingStatusCallback"),
        inputs.one_of("ConferenceRecordingStatusCallbackMethod", _METHODS),
        inputs.text("Region"),
        inputs.text("SipAuthUsername"),
        inputs.text("SipAuthPassword"),
        _activity("PostWorkActivitySid"),
        inputs.text("JitterBufferSize"),
    ),
    "dequeue": (
        _activity("DequeuePostWorkActivitySid"),
        inputs.text("DequeueFrom"),
        inputs.text("DequeueTo"),
        inputs.one_of("DequeueRecord", ("record-from-answer", "do-not-record")),
        inputs.whole("DequeueTimeout", most=999),
        inputs.text("DequeueStatusCallbackUrl"),
        inputs.one_of("DequeueStatusCallbackEvent", _CALL_EVENTS, many=True),
    ),
    "redirect": (
        inputs.text("RedirectCallSid", required=True),
        inputs.text("RedirectUrl", required=True),
        inputs.boolean("RedirectAccept"),
    ),
    "supervise": (
        inputs.one_of("SupervisorMode", ("monitor", "whisper", "barge")),
        inputs.reference("Supervisor", models.Worker, "WK", argument="supervisor"),
    ),
}
"""The parameters of each instruction that needs a telephone network."""


def parameters(*instructions: str) -> tuple[Param, ...]:
    """Return all parameters of these instructions, for the API description."""
    return tuple(
        replace(param, required=False).says(
            f"For instruction `{word}`{', which requires it' if param.required else ''}: checked,"
            " then answered with 501."
        )
        for word in instructions
        for param in TELEPHONY[word]
    )
