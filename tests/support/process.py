"""Server processes that never outlive the tests.

Each runs in a process group of its own with a parent-death signal; stop() ends the whole group. What is still running
when Python exits, normally or by SIGINT, SIGTERM or SIGHUP, is ended then, and the temporary folders are removed. After a
kill -9 of Python the kernel ends the servers, and the next run removes the folders.
"""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from . import wait

_PREFIX = "weir-test-"
_running = []
_folders = []
_ports_given = set()
_lock = threading.Lock()


def free_port():
    """A loopback port nobody listens on, below the ephemeral range, and never the same twice."""
    with _lock:
        for _ in range(1000):
            port = random.randrange(20000, 32000)
            if port in _ports_given:
                continue
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _ports_given.add(port)
            return port
    raise RuntimeError("no free port between 20000 and 32000")


def temporary_folder(name):
    """A folder that is removed when Python exits; others may pass through it, but not list it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{name}-"))
    folder.chmod(0o711)
    _folders.append(folder)
    return folder


def _remove_left_over():
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def clean_up():
    """Ends every server that still runs and removes the temporary folders."""
    for server in list(reversed(_running)):
        server.kill()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


def register(running):
    """Makes clean_up() call `running.kill()`, unless unregister() is called first."""
    _running.append(running)


def unregister(running):
    if running in _running:
        _running.remove(running)


def _leave(number, _frame):
    sys.exit(128 + number)


def handle_signals():
    """Turns SIGINT, SIGTERM and SIGHUP into an ordinary exit, so that clean_up() runs. Call it once, from the main thread."""
    # A shell starts background jobs with SIGINT ignored; a Ctrl-C from CI must end the servers even so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)


atexit.register(clean_up)
_remove_left_over()


class Server:
    """One process, its folder and its log. Start it from the main thread: it dies with the thread that started it."""

    name = "server"
    user = None  # run as this user when we are root
    death_signal = "KILL"
    start_timeout = 60.0

    def __init__(self, folder=None):
        self.folder = Path(folder) if folder else temporary_folder(self.name)
        self.log_file = self.folder / f"{self.name}.log"
        self.process = None
        self._prepared = False

    # What a server defines.
    def prepare(self):
        """Writes the configuration; called before the first start only."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    def ready(self):
        """True once it answers; may raise OSError until then."""
        raise NotImplementedError

    # What a test uses.
    def launch(self):
        """Starts the process without waiting for it."""
        assert self.process is None, f"{self.name} runs already"
        if not self._prepared:
            self.prepare()
            self._prepared = True
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.as_user(self.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=self.environment(), process_group=0)
        register(self)
        return self

    def wait_ready(self):
        try:
            wait.until(f"{self.name} is ready", self._ready_or_dead, self.start_timeout)
        except BaseException as error:
            self.kill()
            error.add_note(f"--- the end of {self.log_file.name}:\n{self.log_tail()}")
            raise
        return self

    def start(self):
        return self.launch().wait_ready()

    def stop(self, timeout=20.0):
        """SIGTERM, and SIGKILL after `timeout` seconds. Returns the exit status, negative for a signal."""
        return self._end(signal.SIGTERM, timeout)

    def kill(self):
        return self._end(signal.SIGKILL, 10.0)

    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()

    def as_user(self, command):
        """`command` with the parent-death signal, and as the unprivileged user when we are root."""
        identity = []
        if self.user and os.geteuid() == 0:
            identity = ["--reuid", self.user, "--regid", self.user, "--init-groups"]
        return ["setpriv", *identity, "--pdeathsig", self.death_signal, "--", *map(str, command)]

    def _ready_or_dead(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status {self.process.returncode} while starting")
        return self.ready()

    def _end(self, number, timeout):
        process, self.process = self.process, None
        if process is None:
            return None
        end_group(process, number, timeout)
        unregister(self)
        return process.returncode


def end_group(process, number, timeout):
    """Signals the process's whole group, and kills what is left of it after `timeout` seconds."""
    _signal_group(process.pid, number)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        pass
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def start_all(*servers):
    """Starts several at once and waits until all are ready."""
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_ready()


def cpu_seconds(pid):
    """User and system time the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
