"""Random route trees and label sets: the same receivers as amtool finds in the same alertmanager.yml."""

import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

from support import http
from support.wait import until

TREES = 6
ALERTS = 60
NAMES = ("severity", "team", "env", "absent")
VALUES = ("page", "info", "a", "ab", "a,b", 'quo"ted', "back\\slash", "two\nlines", "ünï", "a|b", "{x}", " spaced ")
REGEXES = ("page|info", "a.*", "", ".+", ".*", "(a|b)+", "[^a]*", "a|b,c", ".", "\\w+", "^a$", '.*".*')
RULES = """
groups:
  - name: things
    interval: 1s
    rules:
      - {alert: Thing, expr: thing == 1}
"""


class Page(http.HttpServer):
    """A series for each set of labels."""

    def __init__(self, sets):
        lines = ["thing{" + ",".join(f"{name}={quoted(value)}" for name, value in labels.items()) + "} 1\n" for labels in sets]
        self.body = "".join(lines).encode()
        super().__init__()

    def handle(self, *_):
        return http.Answer(200, self.body, {"Content-Type": "text/plain; version=0.0.4"})


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class Trees:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.receivers = []

    def label_sets(self):
        """Each with a number of its own, so that no two are the same alert."""
        return [{"number": str(number), **{name: self.random.choice(VALUES) for name in NAMES[:3] if self.random.random() < 0.8}}
                for number in range(ALERTS)]

    def matchers(self):
        name = self.random.choice(NAMES)
        form = self.random.choice(("match", "match_re", "matchers", "matchers", "matchers"))
        if form == "match":
            return {"match": {name: self.random.choice(VALUES)}}
        if form == "match_re":
            return {"match_re": {name: self.random.choice(REGEXES)}}
        texts = []
        for _ in range(self.random.choice((1, 1, 2))):
            operator = self.random.choice(("=", "!=", "=~", "!~"))
            value = self.random.choice(REGEXES if "~" in operator else VALUES)
            texts.append(f"{self.random.choice(NAMES)}{self.random.choice(('', ' '))}{operator} {quoted(value)}")
        form = self.random.choice(("each", "braces", "one"))
        if form == "one":
            return {"matchers": ["{" + ",".join(texts) + "}"]}
        return {"matchers": ["{" + text + "}" for text in texts] if form == "braces" else texts}

    def node(self, depth):
        route = {**self.matchers(), "continue": self.random.random() < 0.4}
        if self.random.random() < 0.8:
            route["receiver"] = f"r{len(self.receivers)}"
            self.receivers.append(route["receiver"])
        if depth < 3:
            route["routes"] = [self.node(depth + 1) for _ in range(self.random.choice((0, 0, 1, 2, 3)))]
        return route

    def sections(self):
        self.receivers = ["root"]
        route = {"receiver": "root", "group_wait": "1h", "routes": [self.node(1) for _ in range(6)]}
        return {"route": route, "receivers": [{"name": name} for name in self.receivers]}


def by_amtool(file, labels):
    arguments = [f"{name}={quoted(value)}" for name, value in labels.items()]
    done = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={file}", *arguments], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.strip().split(","))


def test_random_trees_lead_to_the_same_receivers(tmp_path, start_weir):
    seed = int(os.environ.get("WEIR_ROUTES_SEED") or random.randrange(1_000_000))
    print(f"WEIR_ROUTES_SEED={seed}")
    trees = Trees(seed)
    sets = trees.label_sets()
    (tmp_path / "rules.yml").write_text(RULES)
    with Page(sets) as page:
        base = {"scrape": [{"name": "things", "url": f"{page.url}/metrics", "interval": "1s"}],
                "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"}, "notifications": {"start_delay": "0s"}}
        weir = None
        reached = set()
        for number in range(TREES):
            sections = trees.sections()
            file = tmp_path / f"alertmanager{number}.yml"
            file.write_text(json.dumps(sections))
            if weir is None:
                weir = start_weir({**base, **sections})
            else:
                weir.configure({**base, **sections})
                answer = http.request(f"{weir.url}/-/reload", b"", "POST")
                assert answer.status == 200, answer.text
            names = sorted(receiver["name"] for receiver in sections["receivers"])
            until("the routes are taken", lambda: names == sorted(
                receiver["name"] for receiver in http.request(f"{weir.url}/api/v2/receivers").json()))
            until("all fire", lambda: len(http.request(f"{weir.url}/api/v2/alerts").json()) == ALERTS)
            told = {alert["labels"]["number"]: alert for alert in http.request(f"{weir.url}/api/v2/alerts").json()}
            with ThreadPoolExecutor(4) as pool:
                expected = list(pool.map(lambda labels: by_amtool(file, told[labels["number"]]["labels"]), sets))
            for labels, receivers in zip(sets, expected):
                ours = {receiver["name"] for receiver in told[labels["number"]]["receivers"]}
                assert ours == receivers, f"tree {number}, {labels}: {json.dumps(sections['route'])}"
                reached |= {(number, receiver) for receiver in receivers}
    assert len(reached) > 2 * TREES, "the trees were not walked"
