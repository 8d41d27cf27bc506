"""The demo's support floor: people, queues and the workflow."""

from __future__ import annotations

from typing import Any, Final

from routing.actions.queue_targets import TargetValues
from routing.actions.thresholds import ThresholdValues
from routing.core.alerting import AlertFigure, AlertScope
from routing.core.tiles import Tile, TileFigure, TileKind
from routing.core.vocabulary import OutcomePolicy

WORKSPACE: Final = "Support floor"

CAPACITY: Final = {"voice": 1, "chat": 4, "sms": 3, "video": 1, "default": 2}
"""The capacities of an experienced worker."""

TRAINEE: Final = {"voice": 1, "chat": 2, "sms": 1, "video": 0, "default": 1}

# name, languages, skills, level, capacity; the first four have a login for the agent's desk.
WORKERS: Final[tuple[tuple[str, list[str], list[str], int, dict[str, int]], ...]] = (
    ("alice", ["en", "de"], ["support", "billing"], 8, CAPACITY),
    ("bob", ["en"], ["support", "sales"], 5, CAPACITY),
    ("carol", ["en", "fr"], ["billing", "support"], 7, CAPACITY),
    ("dan", ["en", "es"], ["support"], 2, TRAINEE),
    ("erin", ["en", "de"], ["sales"], 6, CAPACITY),
    ("frank", ["de"], ["support", "billing"], 4, CAPACITY),
    ("grace", ["en", "fr"], ["sales", "support"], 9, CAPACITY),
    ("heidi", ["de", "en"], ["support"], 3, TRAINEE),
    ("ivan", ["en", "es"], ["billing"], 5, CAPACITY),
    ("judy", ["en"], ["support", "vip"], 9, CAPACITY),
    ("mallory", ["en", "fr"], ["sales"], 1, TRAINEE),
    ("niaj", ["en", "de"], ["support", "vip"], 7, CAPACITY),
)
LOGINS: Final = 4
"""The number of workers, from the top, that have a login."""

REJECTION_PAUSE: Final = 60
REJECTION_REASONS: Final = "Not my language\nI know this customer\nNot enough time\nSomething else"

ATTRIBUTE_LABELS: Final = "vip = VIP\norder = Order number\nlanguage = Language"
HIDDEN_ATTRIBUTES: Final = "topic"
"""How the desk shows tasks; the queue says what the topic says."""

OUTCOMES: Final = {
    "resolved": "Resolved",
    "call_back": "To be called back",
    "passed_on": "Passed on to a specialist",
    "wrong_number": "Wrong number or spam",
}
"""The demo's outcome codes: unique name to friendly name."""

QUEUES: Final[dict[str, dict[str, Any]]] = {
    "Phone": {
        "target_workers": 'skills HAS "support" OR skills HAS "sales"',
        "expected_handling_time": 600,
    },
    "Chat and messages": {"target_workers": 'skills HAS "support"'},
    "Billing": {
        "target_workers": 'skills HAS "billing"',
        "outcome_policy": OutcomePolicy.ASKED,
        "expected_handling_time": 300,
        "wrap_up_limit": 120,
    },
    "Leads": {"target_workers": 'skills HAS "sales"', "max_reserved_workers": 2},
    "VIP": {"target_workers": 'skills HAS "vip" OR level >= 8'},
}

TARGETS: Final[dict[tuple[str, str], TargetValues]] = {
    ("Phone", "voice"): {"threshold": 20, "goal": 80},
    ("Phone", "video"): {"threshold": 30, "goal": 80},
    ("Chat and messages", "chat"): {"threshold": 60, "goal": 85},
    ("Chat and messages", "sms"): {"threshold": 300, "goal": 90},
    ("Billing", "chat"): {"threshold": 90, "goal": 80},
    ("Leads", "chat"): {"threshold": 30, "goal": 75, "short_abandon": 10},
    ("VIP", "chat"): {"threshold": 20, "goal": 95},
    ("VIP", "voice"): {"threshold": 10, "goal": 95},
}
"""What the queues promise, by queue and channel."""


THRESHOLDS: Final[tuple[ThresholdValues, ...]] = (
    {
        "scope": AlertScope.EACH_QUEUE,
        "figure": AlertFigure.WAITING,
        "watch": 8,
        "act": 20,
        "hold": 10,
    },
    {
        "scope": AlertScope.FLOOR,
        "figure": AlertFigure.LONGEST_WAIT,
        "watch": 300,
        "act": 600,
        "hold": 5,
    },
)
"""Where alerts are raised."""

BOARD: Final = "Floor"
TILES: Final = (
    Tile(figure=TileFigure.WAITING, watch=8, act=20),
    Tile(figure=TileFigure.LONGEST_WAIT, watch=300, act=600),
    Tile(figure=TileFigure.SERVICE_LEVEL, watch=80, act=60),
    Tile(kind=TileKind.LINE, figure=TileFigure.ANSWERED),
    Tile(figure=TileFigure.FREE),
    Tile(kind=TileKind.WORST),
)
"""The board for the wall."""


def build_configuration(queues: dict[str, str]) -> dict[str, Any]:
    """Return the demo's workflow for these queues (name to sid).

    Two rules are worth a look. Workers on the phone get no chats: a chat requires the whole voice
    channel to be free. The router fills three of a worker's four chat slots and leaves one for
    picking by hand: a chat requires more than a quarter to be free. Both rules concern chats only,
    and are true for tasks on other channels.
    """
    speaks = "task.language IN worker.languages"
    chat_rules = (
        '(task.task_channel_unique_name != "chat" OR'
        " worker.channel.voice.available_capacity_percentage == 100 AND"
        " worker.channel.chat.available_capacity_percentage > 25)"
    )
    polite = f"{speaks} AND {chat_rules}"
    return {
        "task_routing": {
            "filters": [
                {
                    "filter_friendly_name": "VIP customers, then anyone on their channel",
                    "expression": "vip == true",
                    "targets": [
                        {
                            "queue": queues["VIP"],
                            "expression": speaks,
                            "priority": 100,
                            "order_by": "worker.level DESC",
                            "timeout": 60,
                        },
                        {"queue": queues["Chat and messages"], "priority": 100},
                    ],
                },
                {
                    "filter_friendly_name": "Billing",
                    "expression": 'topic == "billing"',
                    "targets": [{"queue": queues["Billing"], "expression": polite, "priority": 5}],
                },
                {
                    "filter_friendly_name": "Leads",
                    "expression": 'topic == "sales"',
                    "targets": [{"queue": queues["Leads"], "expression": polite}],
                },
                {
                    "filter_friendly_name": "Calls",
                    "expression": 'task_channel_unique_name IN ["voice", "video"]',
                    "targets": [{"queue": queues["Phone"], "expression": speaks, "priority": 10}],
                },
            ],
            "default_filter": {"queue": queues["Chat and messages"], "expression": polite},
        }
    }
