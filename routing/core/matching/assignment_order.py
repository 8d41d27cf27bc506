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
        self._blocks: list[_Block] = []
        self._block_by_place: dict[int, _Block] = {}
        self._first = 0  # all blocks before this one are empty

    def append(self, place: int, bit: int) -> None:
        """Put a worker at the end, and take them away from where they were.

        Arguments:
            bit: the bitset with only this place.
        """
        before = self._block_by_place.get(place)
        if before is not None:
            before.members &= ~bit
        block = self._blocks[-1] if self._blocks else None
        if block is None or len(block.places) == BLOCK_SIZE:
            block = _Block()
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
        block = blocks[number]
        # A worker may stand twice in one block; the later place counts.
        last = {place: position for position, place in enumerate(block.places)}
        return next(
            place
            for position, place in enumerate(block.places)
            if found >> place & 1 and last[place] == position
        )


class _Block:
    """Successive places (`places`), and which of them have not been appended again (`members`)."""

    __slots__ = ("members", "places")

    def __init__(self) -> None:
        self.members = 0
        self.places: list[int] = []
