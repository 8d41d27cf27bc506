"""Write a screenshot as a PNG with a palette, a third as large: `shrink_png`."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Final

COLOURS: Final = 256
_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_RGB: Final = 2
_PALETTE: Final = 3

Colour = tuple[int, int, int]


def shrink_png(path: Path) -> None:
    """Replace a PNG of 8-bit RGB or RGBA, as a browser writes it, by one with a palette.

    The commonest colours are kept, and each other one becomes the nearest of them.
    """
    width, height, rows = _read_rows(path.read_bytes())
    counted = Counter(colour for row in rows for colour in row)
    kept = [colour for colour, _ in counted.most_common(COLOURS)]
    places = {colour: place for place, colour in enumerate(kept)}
    for colour in counted:
        if colour not in places:
            places[colour] = _find_nearest(colour, kept)
    lines = b"".join(b"\0" + bytes(places[colour] for colour in row) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    path.write_bytes(
        _HEAD
        + _chunk(b"IHDR", head)
        + _chunk(b"PLTE", bytes(part for colour in kept for part in colour))
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _find_nearest(colour: Colour, kept: list[Colour]) -> int:
    red, green, blue = colour
    return min(
        range(len(kept)),
        key=lambda place: (
            (kept[place][0] - red) ** 2
            + (kept[place][1] - green) ** 2
            + (kept[place][2] - blue) ** 2
        ),
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _read_rows(data: bytes) -> tuple[int, int, list[list[Colour]]]:
    """Return width, height and the colours of each row."""
    place, packed, size = len(_HEAD), b"", (0, 0)
    step = 3
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, _depth, colours, *_ = struct.unpack(">IIBBBBB", body)
            size, step = (width, height), 3 if colours == _RGB else 4
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    raw = zlib.decompress(packed)
    stride = size[0] * step
    before, rows = bytearray(stride), []
    for top in range(0, len(raw), stride + 1):
        line = _unfilter(raw[top], bytearray(raw[top + 1 : top + 1 + stride]), before, step)
        rows.append(list(zip(line[::step], line[1::step], line[2::step], strict=True)))
        before = line
    return *size, rows


def _unfilter(kind: int, line: bytearray, above: bytearray, step: int) -> bytearray:
    """Return the bytes of a line, whose differences the PNG has (its specification, section 9)."""
    for at in range(len(line)):
        left = line[at - step] if at >= step else 0
        up = above[at]
        if kind == 1:
            line[at] = (line[at] + left) & 255
        elif kind == 2:
            line[at] = (line[at] + up) & 255
        elif kind == 3:
            line[at] = (line[at] + (left + up) // 2) & 255
        elif kind == 4:
            corner = above[at - step] if at >= step else 0
            line[at] = (line[at] + _predict(left, up, corner)) & 255
    return line


def _predict(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    by_left, by_up, by_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner
