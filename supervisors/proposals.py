"""The panel of ways out: each a sentence, with the form of its command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from supervisors.demands import find_demands
from supervisors.expression_words import describe_condition, describe_term
from supervisors.panel import Context, Panel, Scene
from supervisors.queue import judge_here
from supervisors.unserved import Term, Unserved, find_unserved
from supervisors.waiting import STALE_ON, list_oldest
from supervisors.ways_out import MOST_SUBJECTS, WayOut, find_ways_out
from supervisors.wording import isolate, join_names
from workflows.expressions.unparser import unparse


def load_ways_out(scene: Scene) -> Context:
    """Return what would let the tasks of a queue move."""
    judged = judge_here(scene)
    demands = find_demands(judged.queue.id, scene.picture, now=scene.now)
    oldest = list_oldest(judged.queue, scene) if judged.tasks.waiting else []
    unserved = None
    if judged.tasks.waiting:
        unserved = find_unserved(judged.queue, scene.picture, demands, judged.waiting_on)
    ways = find_ways_out(scene.picture, judged, demands, oldest, unserved)
    return {
        "unserved": None if unserved is None else describe_unserved(unserved),
        "ways": [
            {
                "way": way,
                "sentence": describe_way_out(way),
                "code": way.values.get("term", ""),
            }
            for way in ways
        ],
        "judged": judged,
    }


def describe_unserved(unserved: Unserved) -> Context:
    """Return what a queue asks for that no worker serves, and who lacks only one thing of it."""
    return {
        "words": describe_condition(unserved.node),
        "code": unparse(unserved.node),
        "terms": [
            {
                "words": describe_condition(term.node),
                "code": unparse(term.node),
                "having": ngettext(
                    "%(having)d of %(count)d agent meets it.",
                    "%(having)d of %(count)d agents meet it.",
                    unserved.checked,
                )
                % {"having": term.having, "count": unserved.checked},
                "lacking": _describe_lacking(term),
                "act": None
                if term.lack is None
                else {
                    "command": "workers.set_attributes",
                    "subjects": [worker.sid for worker in term.lacking[:MOST_SUBJECTS]],
                    "fields": term.lack.fields,
                    "label": _("Give it…"),
                },
            }
            for term in unserved.terms
        ],
    }


def _describe_lacking(term: Term) -> str:
    """Return who lacks only this, in a sentence; empty if each worker lacks more."""
    if not term.lacking:
        return ""
    return ngettext(
        "Only this is missing for %(count)d agent: %(names)s.",
        "Only this is missing for %(count)d agents: %(names)s.",
        len(term.lacking),
    ) % {
        "count": len(term.lacking),
        "names": join_names([isolate(worker.name) for worker in term.lacking]),
    }


def describe_way_out(way: WayOut) -> str:
    """Return the sentence of a way out; what an expression asks for is in words."""
    values = {name: isolate(value) for name, value in way.values.items()}
    if "term" in values:
        values["term"] = describe_term(way.values["term"])
    return _SENTENCES[way.kind](len(way.subjects)) % {
        **values,
        "count": len(way.subjects),
        "moves": way.moves,
    }


_SENTENCES: Final[Mapping[str, Callable[[int], str]]] = {
    "switch_on": lambda count: ngettext(
        "Switch %(channel)s on for %(count)d agent.",
        "Switch %(channel)s on for %(count)d agents.",
        count,
    ),
    "raise_capacity": lambda count: ngettext(
        "Raise the capacity for %(channel)s by 1 for %(count)d agent, who is full there.",
        "Raise the capacity for %(channel)s by 1 for %(count)d agents, who are full there.",
        count,
    ),
    "release_kept": lambda count: ngettext(
        "Let the router fill the slots for %(channel)s that %(count)d agent keeps for grabbing.",
        "Let the router fill the slots for %(channel)s that %(count)d agents keep for grabbing.",
        count,
    ),
    "fetch": lambda count: ngettext(
        "Move %(count)d agent from %(activity)s to %(target)s.",
        "Move %(count)d agents from %(activity)s to %(target)s.",
        count,
    ),
    "fetch_long": lambda count: ngettext(
        "Move %(count)d agent from %(activity)s to %(target)s: over 20 minutes there.",
        "Move %(count)d agents from %(activity)s to %(target)s: over 20 minutes there.",
        count,
    ),
    "put_away": lambda count: ngettext(
        "Move %(count)d agent who lets offers expire to %(target)s.",
        "Move %(count)d agents who let offers expire to %(target)s.",
        count,
    ),
    "teach": lambda count: ngettext(
        "Give %(count)d free agent the one thing that is missing: %(term)s.",
        "Give %(count)d free agents the one thing that they lack: %(term)s.",
        count,
    ),
    "admit": lambda count: ngettext(
        "Give %(count)d free agent the one thing that this queue asks for: %(term)s.",
        "Give %(count)d free agents the one thing that this queue asks for: %(term)s.",
        count,
    ),
    "let_grab": lambda _count: _("Let agents grab from this queue: %(free)s are free."),
    "move": lambda count: ngettext(
        "Move the oldest task to %(queue)s, where %(free)s are free.",
        "Move the oldest %(count)d tasks to %(queue)s, where %(free)s are free.",
        count,
    ),
}

PANELS: Final = (Panel(name="ways_out", load=load_ways_out, from_picture=False, stale_on=STALE_ON),)
