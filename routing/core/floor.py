"""See all workers of one pass at once: who may take what, as sets of bits.

Bit i stands for the worker at place i of those who have waited longest, so the lowest bit of a set
is who is asked first. What an expression's parts say of each worker is worked out once and kept
with the worker's value, which cycles share for as long as the worker does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from routing.core.matcher import Hand, manual_refusal, room_refusal
from routing.core.snapshot import Lane, TaskQueue, Worker
from workflows.expressions import NOTHING, Expression, View, compile_node
from workflows.expressions.nodes import And, Node, Or, paths


class Floor:
    """The workers of one pass, and what it has given them so far."""

    def __init__(self, workers: Sequence[Worker], *, multi_task: bool, clock: View) -> None:
        ordered = sorted(workers, key=lambda worker: (worker.last_reserved_us, worker.id))
        self.hands = [Hand(worker) for worker in ordered]
        self.everyone = (1 << len(ordered)) - 1
        self.clock = clock
        self.multi_task = multi_task
        self.touched = 0
        """Bits of those whom this pass has given something: what is said below no longer holds."""
        self.log: list[Hand] = []
        """Them, each as often as they were given something, in order."""
        self._place = {worker.id: place for place, worker in enumerate(ordered)}
        self._members: dict[int, int] = {}
        self._room: dict[int, int] = {}
        # Of each comparison: who has been asked, and of whom it is true.
        self._parts: dict[Node, tuple[int, int]] = {}

    def take(self, hand: Hand, channel_id: int, *, now: int) -> None:
        """Give a worker one more task on a channel."""
        hand.take(channel_id, now=now)
        self.touched |= 1 << self._place[hand.worker.id]
        self.log.append(hand)

    def bit(self, hand: Hand) -> int:
        """Return the set of this worker alone."""
        return 1 << self._place[hand.worker.id]

    def admits(self, lane: Lane) -> int:
        """Return who may take a task of this lane, as everybody stood before the pass began.

        Equal to asking `matcher.refusal` of each, only faster. The lane's expression must not read
        the task.
        """
        found = self.everyone if lane.ignore_capacity else self._with_room(lane)
        if found and lane.task_queue is not None:
            found &= self._serving(lane.task_queue)
        if found and lane.known_worker_sid is not None:
            found &= self._by_sid.get(lane.known_worker_sid, 0)
        if found and lane.known_worker_name is not None:
            found &= self._by_name.get(lane.known_worker_name, 0)
        if found and lane.expression is not None:
            found = self._meeting(lane.expression.node, found)
        return found

    @cached_property
    def _by_sid(self) -> dict[str, int]:
        return {hand.worker.sid: self.bit(hand) for hand in self.hands}

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {hand.worker.friendly_name.casefold(): self.bit(hand) for hand in self.hands}

    def _serving(self, queue: TaskQueue) -> int:
        if queue.id not in self._members:
            expression = queue.target_workers
            self._members[queue.id] = (
                0 if expression is None else self._meeting(expression.node, self.everyone)
            )
        return self._members[queue.id]

    def _with_room(self, lane: Lane) -> int:
        channel = lane.task_channel_id
        if channel not in self._room:
            self._room[channel] = self._such(
                self.everyone,
                lambda hand: (
                    room_refusal(hand, lane, multi_task=self.multi_task) is None
                    and manual_refusal(hand, lane, multi_task=self.multi_task) is None
                ),
            )
        return self._room[channel]

    def _meeting(self, node: Node, among: int) -> int:
        """Return those among a set of whom a condition is true."""
        if isinstance(node, And):
            for part in node.operands:
                if not among:
                    break
                among = self._meeting(part, among)
            return among
        if isinstance(node, Or):
            met = 0
            for part in node.operands:
                met |= self._meeting(part, among & ~met)
            return met
        asked, met = self._parts.get(node, (0, 0))
        if new := among & ~asked:
            met |= self._ask(compile_node(node), new)
            self._parts[node] = (asked | new, met)
        return met & among

    def _ask(self, part: Expression, among: int) -> int:
        """Return those of whom one comparison is true; remember it, unless the clock is in it."""
        ask, clock, hands = part.function, self.clock, self.hands
        loaded = any(path.segments[:1] == ("channel",) for path in paths(part.node))
        kept = "taskrouter" not in part.roots
        text = part.source
        met = 0
        for place in places(among):
            hand = hands[place]
            known = hand.worker.load_answers if loaded else hand.worker.answers
            answer = known.get(text) if kept else None
            if answer is None:
                answer = ask(hand.view(), NOTHING, clock, None)
                if kept:
                    known[text] = answer
            if answer:
                met |= 1 << place
        return met

    def _such(self, among: int, test: Callable[[Hand], bool]) -> int:
        found = 0
        for place in places(among):
            if test(self.hands[place]):
                found |= 1 << place
        return found


def places(bits: int) -> Iterator[int]:
    """Yield the places of a set, lowest first."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
