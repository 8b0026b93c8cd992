"""Polling with a deadline: the only way tests wait for another process."""

import time


class NotYet(Exception):
    """A probe's way to say what it saw instead of what it waits for."""


def until(what, probe, timeout=30.0, every=0.1):
    """Calls `probe` until it returns something true, and returns that.

    A probe that raises an OSError, NotYet or AssertionError is tried again. After `timeout` seconds fails with
    `what` and what the last try saw.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen = probe()
            if seen:
                return seen
        except (OSError, NotYet, AssertionError) as error:
            seen = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last seen: {seen!r}")
        time.sleep(every)


def always(what, probe, seconds, every=0.1):
    """Fails if `probe` returns something false at any time within `seconds`; for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = probe()
        assert seen, f"{what}: saw {seen!r}"
        time.sleep(every)
