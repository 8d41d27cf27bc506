"""Digits are drawn in blocks, which no thread and no forked process shares."""

from __future__ import annotations

import os
import secrets
import threading

import pytest

from routing import sids
from routing.random_digits import draw_digits


def test_drawn_digits_never_repeat() -> None:
    drawn = [draw_digits(count) for count in (15, 32) for _ in range(2_000)]
    assert len(set(drawn)) == len(drawn)
    assert {len(digits) for digits in drawn} == {15, 32}


def test_threads_draw_different_digits() -> None:
    drawn: list[str] = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(sids.new_sid("WT") for _ in range(200)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 800


def test_a_forked_process_draws_other_digits_than_its_parent() -> None:
    draw_digits(1)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, draw_digits(32).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 32).decode() != draw_digits(32)
    os.close(reading)
    os.close(writing)


def test_the_system_is_asked_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[int] = []
    token_hex = secrets.token_hex

    def count(size: int) -> str:
        blocks.append(size)
        return token_hex(size)

    monkeypatch.setattr(secrets, "token_hex", count)
    for _ in range(128):
        draw_digits(16)
    assert len(blocks) <= 2
