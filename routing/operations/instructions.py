"""Describe the instructions that a reservation can be given.

Two of them answer an offer. The others control telephone calls. There is no telephone network here,
so their parameters are checked and then they are refused as not implemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from routing import models
from routing.core.vocabulary import ReservationStatus
from routing.operations import parameters, references
from routing.operations.parameters import Param

ANSWERS: Final = {
    "accept": ReservationStatus.ACCEPTED,
    "reject": ReservationStatus.REJECTED,
}
_CALL_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_METHODS: Final = ("GET", "POST")


def _activity(name: str) -> Param:
    return references.reference(name, models.Activity, "WA", argument=name)


TELEPHONY: Final[Mapping[str, tuple[Param, ...]]] = {
    "call": (
        parameters.text("CallFrom", required=True),
        parameters.text("CallUrl", required=True),
        parameters.text("CallTo"),
        parameters.text("CallRecord"),
        parameters.whole_number("CallTimeout", most=999),
        parameters.text("CallStatusCallbackUrl"),
        parameters.boolean("CallAccept"),
    ),
    "conference": (
        parameters.text("To"),
        parameters.text("From"),
        parameters.whole_number("Timeout", most=999),
        parameters.text("StatusCallback"),
        parameters.choice("StatusCallbackMethod", _METHODS),
        parameters.choice("StatusCallbackEvent", _CALL_EVENTS, many=True),
        parameters.boolean("Record"),
        parameters.boolean("Muted"),
        parameters.text("Beep"),
        parameters.boolean("StartConferenceOnEnter"),
        parameters.boolean("EndConferenceOnExit"),
        parameters.boolean("EndConferenceOnCustomerExit"),
        parameters.boolean("BeepOnCustomerEntrance"),
        parameters.text("WaitUrl"),
        parameters.choice("WaitMethod", _METHODS),
        parameters.boolean("EarlyMedia"),
        parameters.whole_number("MaxParticipants", least=2, most=250),
        parameters.text("ConferenceStatusCallback"),
        parameters.choice("ConferenceStatusCallbackMethod", _METHODS),
        parameters.choice(
            "ConferenceStatusCallbackEvent",
            ("start", "end", "join", "leave", "mute", "hold", "speaker"),
            many=True,
        ),
        parameters.text("ConferenceRecord"),
        parameters.text("ConferenceTrim"),
        parameters.text("RecordingChannels"),
        parameters.text("RecordingStatusCallback"),
        parameters.choice("RecordingStatusCallbackMethod", _METHODS),
        parameters.text("ConferenceRecordingStatusCallback"),
        parameters.choice("ConferenceRecordingStatusCallbackMethod", _METHODS),
        parameters.text("Region"),
        parameters.text("SipAuthUsername"),
        parameters.text("SipAuthPassword"),
        _activity("PostWorkActivitySid"),
        parameters.text("JitterBufferSize"),
    ),
    "dequeue": (
        _activity("DequeuePostWorkActivitySid"),
        parameters.text("DequeueFrom"),
        parameters.text("DequeueTo"),
        parameters.choice("DequeueRecord", ("record-from-answer", "do-not-record")),
        parameters.whole_number("DequeueTimeout", most=999),
        parameters.text("DequeueStatusCallbackUrl"),
        parameters.choice("DequeueStatusCallbackEvent", _CALL_EVENTS, many=True),
    ),
    "redirect": (
        parameters.text("RedirectCallSid", required=True),
        parameters.text("RedirectUrl", required=True),
        parameters.boolean("RedirectAccept"),
    ),
    "supervise": (
        parameters.choice("SupervisorMode", ("monitor", "whisper", "barge")),
        references.reference("Supervisor", models.Worker, "WK", argument="supervisor"),
    ),
}
"""The parameters of each instruction that needs a telephone network."""


def describe_telephony(*instructions: str) -> tuple[Param, ...]:
    """Return all parameters of these instructions, for the API description."""
    return tuple(
        replace(param, required=False).describe(
            f"For instruction `{word}`{', which requires it' if param.required else ''}: checked,"
            " then answered with 501."
        )
        for word in instructions
        for param in TELEPHONY[word]
    )
