"""A cache of a bounded size evicts the least recently used entries."""

from __future__ import annotations

import pytest

from workflows import expressions
from workflows.caches import ENTRY_SIZE, SizedCache
from workflows.expressions import compiled


def cached_keys(cache: SizedCache[str], *keys: str) -> list[bool]:
    """Return which of these keys the cache has, without counting as use."""
    return [key in cache._entries for key in keys]


def test_entries_are_computed_once_and_the_least_recently_used_are_evicted() -> None:
    cache: SizedCache[str] = SizedCache(3 * (ENTRY_SIZE + 100))
    made: list[str] = []

    def get(key: str) -> str:
        def make() -> tuple[str, int]:
            made.append(key)
            return key.upper(), 100

        return cache.get(key, make)

    for key in "abc":
        assert get(key) == key.upper()
    assert get("a") == "A"
    assert get("d") == "D"
    assert made == ["a", "b", "c", "d"]
    assert cached_keys(cache, *"abcd") == [True, False, True, True]
    cache.clear()
    assert len(cache) == cache.size == 0


def test_an_entry_that_would_fill_most_of_the_cache_is_not_cached() -> None:
    cache: SizedCache[str] = SizedCache(1_000)
    assert cache.get("small", lambda: ("s", 1)) == "s"
    assert cache.get("large", lambda: ("l", 900)) == "l"
    assert cached_keys(cache, "small", "large") == [True, False]


def test_a_failure_is_not_cached() -> None:
    cache: SizedCache[str] = SizedCache(1_000)

    def fail() -> tuple[str, int]:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            cache.get("key", fail)
    assert cache.get("key", lambda: ("found", 1)) == "found"


def test_expressions_are_cached_by_the_size_of_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    cache: SizedCache[expressions.Expression] = SizedCache(30_000)
    monkeypatch.setattr(compiled, "expression_cache", cache)
    for number in range(100):
        text = f"worker.name == '{number:04}{'x' * 1_000}'"
        expressions.compile_expression(text, subject="worker")
        assert cache.size <= 30_000
    assert 20 <= len(cache) < 30
    assert expressions.compile_expression(text, subject="worker") is expressions.compile_expression(
        text, subject="worker"
    )


def test_the_filter_of_one_request_is_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    cache: SizedCache[expressions.Expression] = SizedCache(30_000)
    monkeypatch.setattr(compiled, "expression_cache", cache)
    once = expressions.compile_once("vip == true", subject="task")
    assert len(cache) == 0
    assert once == expressions.compile_expression("vip == true", subject="task")
