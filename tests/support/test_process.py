"""The server manager itself: servers start, and nothing survives the tests however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import http, process, wait

# Starts a "server" that itself has a child, says their ids and its folder, and waits.
CHILD = """
import sys, threading
sys.path.insert(0, {tests!r})
from support import process
class Sleeper(process.Server):
    name = "sleeper"
    def command(self): return ["bash", "-c", "sleep 600 & echo $! > child; wait"]
    def ready(self): return (self.folder / "child").exists() and (self.folder / "child").read_text().strip()
process.handle_signals()
server = Sleeper().start()
print(server.pid, server.ready(), server.folder, flush=True)
threading.Event().wait()
"""


def gone(pid):
    """True for a process that ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def run_child():
    tests = str(Path(__file__).resolve().parents[1])
    child = subprocess.Popen([sys.executable, "-c", CHILD.format(tests=tests)], stdout=subprocess.PIPE, text=True)
    server, grandchild, folder = child.stdout.readline().split()
    return child, int(server), int(grandchild), Path(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_tests_ends_servers_their_children_and_their_folders(number):
    child, server, grandchild, folder = run_child()
    child.send_signal(number)
    child.wait(20)
    child.stdout.close()
    assert gone(server) and gone(grandchild)
    assert not folder.exists()


def test_kill_9_of_the_tests_ends_the_servers_and_the_next_run_removes_their_folders():
    child, server, grandchild, folder = run_child()
    try:
        child.kill()
        child.wait(20)
        child.stdout.close()
        wait.until("the server has ended", lambda: gone(server))
        assert folder.exists()
        process._remove_left_over()
        assert not folder.exists()
    finally:
        os.kill(grandchild, signal.SIGKILL)  # a kill -9 reaches direct children only; real servers have none or notice


class Failing(process.Server):
    name = "failing"

    def command(self):
        return ["bash", "-c", "echo the disk is full >&2; exit 3"]

    def ready(self):
        return False


def test_a_server_that_ends_while_starting_shows_its_log_at_once():
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="status 3") as caught:
        Failing().start()
    assert "the disk is full" in caught.value.__notes__[0]
    assert time.monotonic() - started < 5


def test_until_says_what_it_saw_last():
    with pytest.raises(AssertionError, match=r"not within 0.2 s: three; last seen: NotYet\(2\)"):
        def probe():
            raise wait.NotYet(2)
        wait.until("three", probe, timeout=0.2, every=0.05)


def test_the_proxy_forwards_until_it_is_broken():
    with http.WebhookReceiver([http.Answer(201, b"made")]) as receiver, http.BreakableProxy(receiver.url) as proxy:
        assert http.request(f"{proxy.url}/hook", {"a": 1}).text == "made"
        assert receiver.requests[0][0] == "/hook" and receiver.requests[0][2] == {"a": 1}
        proxy.broken = http.Answer(500, b"<html>", {"Content-Type": "text/html"})
        assert http.request(f"{proxy.url}/hook", {"a": 1}).status == 500
        assert len(receiver.requests) == 1
