"""Asks Weir and Prometheus the same questions about the same samples, in turn; no figure fails the run."""

import argparse
import os
import statistics
import subprocess
import time
import urllib.parse

from support import http, process
from support.prometheus import Prometheus
from support.wait import until
from support.weir import ROOT, Weir

STEPS, STEP = 240, 15
QUERIES = {
    "sum by (consumergroup)": ("sum by (consumergroup) (kafka_consumergroup_lag)", False),
    "topk(10)": ("topk(10, kafka_consumergroup_lag)", False),
    "rate over all series": ("rate(kafka_consumergroup_lag[5m])", False),
    "regex selector": ('count(kafka_consumergroup_lag{consumergroup=~"g1.*",topic=~"t(1|2).*"})', False),
    f"sum by, {STEPS} steps": ("sum by (consumergroup) (kafka_consumergroup_lag)", True),
}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/prometheus", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def ask(url, expression, ranged, end):
    """Seconds until the whole answer is there, and its number of rows."""
    times = {"start": end - (STEPS - 1) * STEP, "end": end, "step": STEP} if ranged else {"time": end}
    path = "query_range" if ranged else "query"
    began = time.perf_counter()
    answer = http.request(f"{url}/api/v1/{path}?{urllib.parse.urlencode({'query': expression, **times})}", timeout=120)
    took = time.perf_counter() - began
    decoded = answer.json()
    assert decoded["status"] == "success", answer.text[:300]
    return took, len(decoded["data"]["result"])


def main():
    chosen = arguments()
    process.handle_signals()
    binaries = ROOT / "build/bench/bin"
    os.environ.setdefault("WEIR_BINARY", str(binaries / "weir"))
    weir = Weir({"series": {"retention": "6h"},
                 # Never answers, so that the samples of the snapshot stay as they are.
                 "kafka": [{"name": "bench", "brokers": "127.0.0.1:1"}]})
    with Prometheus([], arguments=["--web.enable-remote-write-receiver"]) as prometheus:
        print("filling both with 60,000 series of 480 samples ...", flush=True)
        filled = subprocess.run([binaries / "prometheus_fill", weir.folder / "weir.db.series", prometheus.url],
                                capture_output=True, text=True, check=True).stdout.split()
        series, samples, held, end = (int(word) for word in filled)
        end /= 1000
        weir.launch()
        weir.until_answers()
        expression = "count(kafka_consumergroup_lag)"
        until("Weir has taken up the snapshot", lambda: weir.query(expression, end), 60)
        print(f"{series} series, {samples} samples, {held / samples:.2f} bytes a sample in Weir\n")
        print(f"{'median of ' + str(chosen.rounds):28}{'Weir':>10}{'Prometheus':>12}{'ratio':>8}")
        for name, (expression, ranged) in QUERIES.items():
            ours, theirs = [], []
            for _ in range(chosen.rounds):  # in turn, so that both see the same machine
                took, rows = ask(weir.url, expression, ranged, end)
                ours.append(took)
                took, their_rows = ask(prometheus.url, expression, ranged, end)
                theirs.append(took)
                assert rows == their_rows, f"{name}: {rows} and {their_rows} rows"
            mine, yours = statistics.median(ours), statistics.median(theirs)
            print(f"{name:28}{mine * 1000:8.1f}ms{yours * 1000:10.1f}ms{yours / mine:8.1f}")
    weir.kill()


if __name__ == "__main__":
    main()
