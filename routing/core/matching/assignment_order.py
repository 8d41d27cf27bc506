"""Order of the workers by the last slot that a matching pass has assigned to them."""

from __future__ import annotations

from typing import Final

BLOCK_SIZE: Final = 24
"""Most workers of one block: few enough to search one by one."""


class AssignmentOrder:
    """Places of workers, those whose last slot is longest ago first.

    Places are kept in blocks, each with a bitset of its places. A search skips the blocks that have
    none of the workers sought, and reads one block.
    """

    def __init__(self) -> None:
        self._last = _Block()
        self._blocks = [self._last]
        self._block_by_place: dict[int, _Block] = {}
        self._first = 0  # all blocks before this one are empty

    def append(self, place: int, bit: int) -> None:
        """Put a worker at the end, and take them away from where they were.

        Arguments:
            bit: the bitset with only this place.
        """
        block = self._last
        before = self._block_by_place.get(place)
        if before is not None:
            before.members ^= bit
            if before is block:
                block.places.remove(place)
        if len(block.places) == BLOCK_SIZE:
            block = self._last = _Block()
            self._blocks.append(block)
        block.members |= bit
        block.places.append(place)
        self._block_by_place[place] = block

    def find_first(self, among: int) -> int:
        """Return the first of these workers; at least one of them must have been appended."""
        blocks = self._blocks
        while not blocks[self._first].members:
            self._first += 1
        number = self._first
        while not (found := among & blocks[number].members):
            number += 1
        if not found & (found - 1):
            return found.bit_length() - 1
        for place in blocks[number].places:
            if found >> place & 1:
                return place
        raise AssertionError("a member of a block is one of its places")


class _Block:
    """Successive places (`places`), and which of them are in no later block (`members`)."""

    __slots__ = ("members", "places")

    def __init__(self) -> None:
        self.members = 0
        self.places: list[int] = []
