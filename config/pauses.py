"""Keep short what a process with many threads waits for inside itself."""

from __future__ import annotations

import gc
import sys


def shorten() -> None:
    """Let threads take turns quickly, and search for garbage rarely.

    Whoever tells sockets, or is woken to route, need not wait for its turn while another thread
    computes, which is five milliseconds unless said otherwise. And everything stands still while
    Python searches for garbage, which with a thousand sockets or workers takes a tenth of a second.
    What is garbage for certain goes at once, as always.
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(10_000, 10, 10)
