"""Shorten the interpreter's pauses in processes with many threads."""

from __future__ import annotations

import gc
import sys


def shorten_switch_interval() -> None:
    """Make threads switch quickly, and collect garbage rarely.

    A thread that publishes to sockets or starts to route must not wait while another one computes;
    the default switch interval is five milliseconds. All threads stop during a garbage collection,
    which takes a tenth of a second with a thousand sockets or workers. Objects without cycles are
    still freed at once.
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(10_000, 10, 10)
