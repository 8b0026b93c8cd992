"""Waiting in cycles of a collector, which is what Weir promises in, rather than in seconds."""

import time

from . import wait


def _mark(metrics, collector):
    """Differs from one cycle to the next: no two take the same time."""
    return tuple(value for name in ("weir_collector_duration_seconds", "weir_collector_last_success_timestamp_seconds")
                 for labels, value in metrics.get(name, []) if labels["collector"] == collector)


class Cycles:
    """Counts the ends of cycles of one collector, from when it is made."""

    def __init__(self, weir, collector="kafka/shop"):
        self.weir = weir
        self.collector = collector
        self.ended = 0
        self._last = _mark(weir.metrics(), collector)

    def metrics(self):
        """The newest metrics; counts the cycle that wrote them."""
        found = self.weir.metrics()
        mark = _mark(found, self.collector)
        if mark != self._last:
            self._last = mark
            self.ended += 1
        return found

    def within(self, count, what, condition, seconds=60.0):
        """Waits until `condition(metrics)` is neither None nor False and returns that. It must come in the first `count`
        cycles that begin from now on; the one that runs at the moment is not counted."""
        deadline = time.monotonic() + seconds
        first = self.ended
        while True:
            found = self.metrics()
            result = condition(found)
            if result is not None and result is not False:
                return result
            assert self.ended - first <= count, f"{what}: not after {count} cycles"
            assert time.monotonic() < deadline, f"{what}: not after {seconds} s, in which {self.ended - first} cycles ended"
            time.sleep(0.05)

    def next(self, count=1, seconds=60.0):
        """The metrics after `count` more cycles have ended."""
        wanted = self.ended + count
        return wait.until(f"{count} cycles", lambda: (found := self.metrics()) and self.ended >= wanted and found, seconds)


def value(metrics, name, **labels):
    """The value of the one series with these labels, None when there is none."""
    found = [number for series, number in metrics.get(name, []) if labels.items() <= series.items()]
    assert len(found) <= 1, f"{name}{labels} is not one series: {found}"
    return found[0] if found else None


def series(metrics, name, **labels):
    """{all labels but the metric's given ones: value}."""
    return [(found, number) for found, number in metrics.get(name, []) if labels.items() <= found.items()]
