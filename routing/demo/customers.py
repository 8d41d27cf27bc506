"""Generate an endless, seeded stream of varied tasks."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any, Final

from routing.demo.client import ApiError, Client

_CUSTOMERS: Final = (
    "Ada Byron", "Bruno Keller", "Chiara Russo", "Diego Marín", "Elif Aydın", "Farid Haddad",
    "Greta Lindqvist", "Hiro Tanaka", "Ines Moreau", "Jonas Weber", "Kira Novak", "Liam O’Brien",
    "Mina Park", "Noor Rahman", "Olga Petrova", "Priya Nair", "Quentin Dubois", "Rosa Jiménez",
)  # fmt: skip

_SUBJECTS: Final = {
    "support": (
        "Parcel has not arrived",
        "Cannot sign in",
        "App stops at start",
        "Wrong size delivered",
        "Password link expired",
        "Printer shows error 49",
        "How do I cancel?",
        "Battery drains fast",
    ),
    "billing": (
        "Charged twice",
        "Invoice needs a VAT number",
        "Refund still missing",
        "Card declined",
    ),
    "sales": (
        "Quote for 40 seats",
        "Do you ship to Norway?",
        "Upgrade to the team plan",
        "Ask for a demo",
    ),
}

_CHANNELS: Final = {"chat": 9, "voice": 5, "sms": 3, "default": 2, "video": 1}
_TOPICS: Final = {"support": 6, "billing": 2, "sales": 2}
_LANGUAGES: Final = {"en": 7, "de": 2, "fr": 1, "es": 1}


class Impatient:
    """Customers who give up: a part of those who have waited for long."""

    LOOK_EVERY: Final = 10.0
    PATIENCE: Final = 90.0
    """Seconds after which each look ends the patience of some."""
    SHARE: Final = 0.25

    def __init__(self, client: Client, workspace: str, *, seed: int) -> None:
        self._client = client
        self._base = f"/Workspaces/{workspace}/Tasks"
        self._dice = random.Random(seed)  # noqa: S311 - a play, not secrets
        self._look_at = 0.0

    def act(self, now: float) -> None:
        """Cancel the tasks of those who give up now."""
        if now < self._look_at:
            return
        self._look_at = now + self.LOOK_EVERY
        query = {"AssignmentStatus": "pending", "PageSize": 50, "Ordering": "DateCreated:asc"}
        for task in self._client.get(self._base, **query)["tasks"]:
            if task["age"] < self.PATIENCE or self._dice.random() >= self.SHARE:
                continue
            # An agent may have been faster.
            with contextlib.suppress(ApiError):
                self._client.post(
                    f"{self._base}/{task['sid']}",
                    AssignmentStatus="canceled",
                    Reason="The customer gave up",
                )


def generate_tasks(seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a channel and attributes for each task; the same seed gives the same tasks."""
    dice = random.Random(seed)  # noqa: S311 - stories, not secrets

    def one_of(weights: dict[str, int]) -> str:
        return dice.choices(list(weights), list(weights.values()))[0]

    while True:
        topic = one_of(_TOPICS)
        attributes: dict[str, Any] = {
            "subject": dice.choice(_SUBJECTS[topic]),
            "customer": dice.choice(_CUSTOMERS),
            "topic": topic,
            "language": one_of(_LANGUAGES),
            "order": f"CB-{dice.randrange(10_000, 99_999)}",
        }
        if dice.random() < 0.06:
            attributes["vip"] = True
        yield one_of(_CHANNELS), attributes
