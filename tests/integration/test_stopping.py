"""Weir ends when it is told to, quickly, whatever it is doing."""

import signal
import time

import pytest

from integration import shop
from support import http
from support.process import free_port
from support.weir import Demo, Weir


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_cleanly_in_under_3_seconds_while_a_broker_does_not_answer(kafka, number):
    config = {"kafka": [shop.kafka_section(kafka),
                        {"name": "nobody", "brokers": f"127.0.0.1:{free_port()}", "request_timeout": "10s"}]}
    weir = Weir(config).launch()
    try:
        weir.until_answers()
        began = time.monotonic()
        weir.process.send_signal(number)
        assert weir.process.wait(10) == 0
        assert time.monotonic() - began < 3
    finally:
        weir.kill()


def test_the_demo_starts_and_ends_in_under_3_seconds():
    demo = Demo()
    began = time.monotonic()
    with demo:
        assert time.monotonic() - began < 5
        assert http.request(f"{demo.url}/").status == 200
        overview = http.request(f"{demo.url}/api/weir/v1/overview").json()
        assert overview["clusters"] and all(collector["success"] for collector in overview["collectors"])
        began = time.monotonic()
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(10) == 0
        assert time.monotonic() - began < 3
