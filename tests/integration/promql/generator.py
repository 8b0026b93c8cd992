"""Expressions at random, all of which Prometheus 2.42 can parse; the same for the same seed."""

import random

METRICS = {
    "lag": ["consumergroup", "topic", "partition"],
    "requests_total": ["job", "instance", "code"],
    "up": ["job", "instance"],
    "build_info": ["job", "instance", "version"],
    "latency_bucket": ["job", "le"],
    "latency_count": ["job"],
    "odd": ["kind"],
    "sparse": ["every"],
    "ended": ["how"],
    "memory_used": ["job"],
    "text": ["path", "place"],
}
VALUES = {"consumergroup": ["a", "b|c", "[a-c]", "nobody"], "topic": ["x", "y", "x|z", ".+"], "partition": ["0", "1"],
          "job": ["api", "web", "a.*", ".*"], "instance": ["1", "2"], "code": ["200", "5..", "404|500"],
          "version": ["1.0", "1\\\\..*"], "le": ["0.5", "+Inf", "1|2.5"], "kind": ["all", "small|constant", "nan"],
          "every": ["10m", "4m"], "how": ["stale", "silent|back"], "path": ["/plain.txt", "/.*"], "place": ["東京", "Z.*"]}
RANGES = ["1m", "90s", "5m", "10m", "30m", "1h"]
# No multiples of the steps: Prometheus 2 counts the left edge in.
SUBQUERY_RANGES = ["65s", "95s", "305s", "605s", "1805s"]
# Counters only: near zero, Prometheus 3 extrapolates in another way.
OF_COUNTERS = ["rate", "increase"]
OVER_TIME = ["delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time",
             "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "stddev_over_time",
             "stdvar_over_time", "last_over_time", "present_over_time", "absent_over_time"]
MAPS = ["abs", "ceil", "floor", "sqrt", "exp", "ln", "log2", "log10", "sgn", "deg", "rad", "sin", "cos", "atan", "tanh",
        "asinh", "round", "timestamp", "sort", "sort_desc", "absent"]
DATES = ["hour", "minute", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "year", "month"]
AGGREGATES = ["sum", "min", "max", "avg", "count", "group"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]
SETS = ["and", "or", "unless"]


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def expression(self):
        return self.scalar(2) if self.rng.random() < 0.06 else self.vector(self.rng.choice([1, 2, 2, 3, 3, 4]))

    def pick(self, choices):
        return self.rng.choice(list(choices))

    def number(self):
        return self.pick(["0", "1", "2", "0.5", "-3", "1e3", "0x10", "100", "Inf", "NaN", "7.25"])

    def matchers(self, metric):
        out = []
        for label in METRICS[metric]:
            if self.rng.random() < 0.3:
                out.append(f'{label}{self.pick(["=", "!=", "=~", "!~"])}"{self.pick(VALUES[label])}"')
        if self.rng.random() < 0.05:
            out.append(self.pick(['nothing=""', 'nothing!~".+"', 'nothing!="x"']))
        return out

    def modifiers(self):
        offset = f" offset {self.pick(['1m', '5m', '-2m', '1h', '20s'])}" if self.rng.random() < 0.15 else ""
        at = f" @ {self.pick(['3602.5', '1802.5', 'start()', 'end()'])}" if self.rng.random() < 0.1 else ""
        return self.pick([offset + at, at + offset])

    def selector(self, metric=None):
        any_metric = metric is None
        metric = metric or self.pick(METRICS)
        matchers = self.matchers(metric)
        if any_metric and self.rng.random() < 0.05:
            matchers.insert(0, f'__name__=~"{metric}|up"')
            return "{" + ",".join(matchers) + "}"
        return metric + ("{" + ",".join(matchers) + "}" if matchers or self.rng.random() < 0.1 else "")

    def range_vector(self, depth, metric=None):
        if depth > 1 and not metric and self.rng.random() < 0.35:
            step = self.pick(["", "30s", "1m", "5m", "10s"])
            return f"({self.vector(depth - 1)})[{self.pick(SUBQUERY_RANGES)}:{step}]{self.modifiers()}"
        return f"{self.selector(metric)}[{self.pick(RANGES)}]{self.modifiers()}"

    def labels(self):
        some = ["consumergroup", "topic", "partition", "job", "instance", "code", "version", "le", "kind", "every"]
        return ", ".join(self.rng.sample(some, self.rng.randrange(3)))

    def scalar(self, depth):
        if depth <= 0 or self.rng.random() < 0.4:
            return self.number()
        return self.pick([
            lambda: f"scalar({self.vector(depth - 1)})", lambda: "time()", lambda: "pi()",
            lambda: f"({self.scalar(depth - 1)} {self.pick(ARITHMETIC)} {self.scalar(depth - 1)})",
            lambda: f"({self.scalar(depth - 1)} {self.pick(COMPARISONS)} bool {self.scalar(depth - 1)})",
            lambda: f"-({self.scalar(depth - 1)})"])()

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.modifiers()
        return self.pick([self.reduced, self.reduced, self.mapped, self.aggregate, self.aggregate, self.with_scalar,
                          self.matched, self.set_operation, self.rare, lambda d: f"({self.vector(d - 1)})",
                          lambda d: f"-{self.selector()}"])(depth)

    def reduced(self, depth):
        return self.pick([
            lambda: f"{self.pick(OF_COUNTERS)}({self.range_vector(depth, 'requests_total')})",
            lambda: f"{self.pick(OVER_TIME)}({self.range_vector(depth)})",
            lambda: f"quantile_over_time({self.pick(['0', '0.5', '0.9', '1.5', '-1', 'NaN'])}, {self.range_vector(depth)})",
            lambda: f"predict_linear({self.selector()}[{self.pick(RANGES)}], {self.pick(['60', '3600', '-600'])})"])()

    def mapped(self, depth):
        inner = self.vector(depth - 1)
        return self.pick([
            lambda: f"{self.pick(MAPS)}({inner})", lambda: f"{self.pick(MAPS)}({inner})",
            # Not of NaN, which is a time of its own on each processor.
            lambda: f"{self.pick(DATES)}({self.selector('requests_total')} * 1e5)",
            lambda: f"round({inner}, {self.pick(['0.5', '10', '7'])})",
            lambda: f"clamp({inner}, {self.number()}, {self.number()})",
            lambda: f"clamp_min({inner}, {self.number()})", lambda: f"clamp_max({inner}, {self.scalar(1)})",
            lambda: f"vector({self.scalar(depth - 1)})"])()

    def aggregate(self, depth):
        inner = self.vector(depth - 1)
        by = self.pick(["", f" by ({self.labels()}) ", f" without ({self.labels()}) "])
        return self.pick([
            lambda: f"{self.pick(AGGREGATES)}{by}({inner})", lambda: f"{self.pick(AGGREGATES)}{by}({inner})",
            lambda: f"{self.pick(AGGREGATES)}({inner}){by}",
            lambda: f"quantile{by}({self.pick(['0.5', '0', '0.99', '2'])}, {inner})",
            # Of equal values any may be picked, so that only how many is compared.
            lambda: f"count({self.pick(['topk', 'bottomk'])}{by}({self.pick(['1', '3', '0', '100'])}, {inner}))",
            lambda: f"{self.pick(['stddev', 'stdvar'])}{by}({self.selector('lag')})",
            lambda: f'count_values{by}("value", round({inner}))'])()

    def with_scalar(self, depth):
        sides = [self.vector(depth - 1), self.scalar(1)]
        self.rng.shuffle(sides)
        operator = self.pick(ARITHMETIC + COMPARISONS + [f"{one} bool" for one in COMPARISONS])
        return f"({sides[0]} {operator} {sides[1]})"

    def matched(self, depth):
        operator = self.pick(ARITHMETIC + COMPARISONS + [f"{one} bool" for one in COMPARISONS])
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        if self.rng.random() < 0.5:
            metric = self.pick(METRICS)
            left, right = self.selector(metric), f"{self.pick(AGGREGATES)} by ({', '.join(METRICS[metric])}) ({metric})"
        on = self.pick(["", "", f"on ({self.labels()})", f"ignoring ({self.labels()})"])
        group = self.pick(["", "", "group_left", "group_right", "group_left (version)"]) if on else ""
        return f"({left} {operator} {on} {group} {right})"

    def set_operation(self, depth):
        on = self.pick(["", "", f"on ({self.labels()})", f"ignoring ({self.labels()})"])
        return f"({self.vector(depth - 1)} {self.pick(SETS)} {on} {self.vector(depth - 1)})"

    def rare(self, depth):
        inner = self.vector(depth - 1)
        return self.pick([
            lambda: f'label_replace({inner}, "new", "$1-x", "job", "(a)(.*)")',
            lambda: f'label_replace({inner}, "job", "", "instance", "1")',
            lambda: f'label_join({inner}, "joined", "/", "job", "topic", "partition")',
            lambda: f"histogram_quantile({self.pick(['0.5', '0.9', '0', '1'])}, rate(latency_bucket[{self.pick(RANGES)}]))",
            lambda: f"histogram_quantile(0.9, sum by (le) ({self.selector('latency_bucket')}))",
            lambda: f"sum by (job) (requests_total) / on (job) group_left latency_count",
            lambda: f"requests_total * on (job, instance) group_left (version) build_info"])()
