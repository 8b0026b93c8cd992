"""Two hours of samples of every shape that PromQL has an opinion on.

Samples lie 3 s past a multiple of 5 s, queries 2.5 s past one and subquery steps on one, so that no edge of a range
falls on a sample: whether the left edge belongs to a range is where Prometheus 2 and 3 differ.
"""

import random

from support.remote_write import STALE

SPAN = 7200
INF, NAN = float("inf"), float("nan")


def build(seed=7):
    """[(labels, [(milliseconds, value)])]; values are multiples of 1/8, so that sums do not depend on their order."""
    rng = random.Random(seed)
    series = []

    def add(name, labels, points):
        series.append(({"__name__": name} | labels, [(int(t * 1000), v) for t, v in points]))

    def times(step=15, phase=0, start=0, end=SPAN):
        return [t + 3 for t in range(start + phase, end, step)]

    for group in "abcd":
        for topic in "xyz":
            for partition in "01":
                value = rng.randrange(5000)
                points = []
                for t in times(phase=5 * rng.randrange(3)):
                    value = max(0, value + rng.randrange(-300, 300))
                    points.append((t, value / 8))
                add("lag", {"consumergroup": group, "topic": topic, "partition": partition}, points)
    for job in ("api", "web"):
        for instance in "12":
            for code in ("200", "404", "500"):
                total, points = 0, []
                for t in times():
                    total = 0 if rng.random() < 0.01 else total + rng.randrange(50 if code == "200" else 4)
                    if rng.random() > 0.03:
                        points.append((t, total + 1000))
                add("requests_total", {"job": job, "instance": instance, "code": code}, points)
            add("up", {"job": job, "instance": instance}, [(t, float(rng.random() > 0.1)) for t in times(30)])
            add("build_info", {"job": job, "instance": instance, "version": rng.choice(["1.0", "1.1"])},
                [(t, 1) for t in times(60)])
    for job in ("api", "web"):
        counts = [900] * 6  # a counter near zero is extrapolated in another way since Prometheus 3
        points = [[] for _ in counts]
        for t in times(30):
            for _ in range(rng.randrange(20)):
                least = rng.choice([0, 1, 1, 2, 2, 3, 4, 5])
                counts = [n + (bucket >= least) for bucket, n in enumerate(counts)]
            for bucket, n in enumerate(counts):
                points[bucket].append((t, n))
        for bucket, le in enumerate(["0.1", "0.5", "1", "2.5", "10", "+Inf"]):
            add("latency_bucket", {"job": job, "le": le}, points[bucket])
        add("latency_count", {"job": job}, points[-1])
    odd = [1, -2.5, NAN, INF, -INF, 0, 3, NAN, -0.125, 1e100, 4.5, 1e-9]
    add("odd", {"kind": "all"}, [(t, odd[i % len(odd)]) for i, t in enumerate(times(60))])
    add("odd", {"kind": "small"}, [(t, rng.randrange(-800, 800) / 8) for t in times(20)])
    add("odd", {"kind": "constant"}, [(t, 42) for t in times(30)])
    add("odd", {"kind": "nan"}, [(t, NAN) for t in times(45)])
    add("sparse", {"every": "10m"}, [(t, t / 8) for t in times(600, phase=35)])
    add("sparse", {"every": "4m"}, [(t, t / 4) for t in times(240, phase=15)])
    add("ended", {"how": "stale"}, [(t, 5) for t in times(end=2000)] + [(2010 + 3, STALE)])
    add("ended", {"how": "silent"}, [(t, 6) for t in times(end=2500)])
    add("ended", {"how": "back"}, [(t, 7) for t in times(end=1500)] + [(1513, STALE)] + [(t, 8) for t in times(start=4000)])
    add("memory_used", {"job": "api"}, [(t, rng.randrange(100)) for t in times()])
    add("memory_total", {"job": "api"}, [(t, 128) for t in times()])
    add("text", {"path": "/a\"b\\c", "place": "Zürich", "empty_later": "x"}, [(t, 1) for t in times(60)])
    add("text", {"path": "/plain.txt", "place": "東京", "code": "a-b-c"}, [(t, 2) for t in times(60)])
    return series


def as_unit_test_input(series):
    """The same as promtool's input_series, an interval of 1 s."""
    out = []
    for labels, points in series:
        name = labels["__name__"]
        inner = ",".join(f"{key}={quote(text)}" for key, text in sorted(labels.items()) if key != "__name__")
        values, next_second = [], 0
        for time, value in points:
            gap = time // 1000 - next_second
            if gap:
                values.append(f"_x{gap}")
            values.append(number(value))
            next_second = time // 1000 + 1
        out.append({"series": f"{name}{{{inner}}}", "values": " ".join(values)})
    return {"interval": "1s", "input_series": out}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value):
    if value is STALE:
        return "stale"
    if value != value:
        return "NaN"
    if value in (INF, -INF):
        return "Inf" if value > 0 else "-Inf"
    return repr(float(value))
