"""One command of a section: its output goes to a log file, and it ends when the runner does."""

import os
import signal
import subprocess
import threading

from support import process


class Task:
    """Runs `command` to its end. `on_line` sees each line of output as it comes."""

    def __init__(self, command, log_file, cwd=None, environment=None, timeout=600.0, on_line=None):
        self.command = [str(word) for word in command]
        self.log_file = log_file
        self.cwd = cwd
        self.environment = {**os.environ, **(environment or {})}
        self.timeout = timeout
        self.on_line = on_line
        self.timed_out = False
        self.process = None

    def run(self):
        """Returns the exit status; None when it took too long and was ended."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *self.command], cwd=self.cwd, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0)
        process.register(self)
        alarm = threading.Timer(self.timeout, self._late)
        alarm.start()
        try:
            with open(self.log_file, "wb") as log:
                for line in self.process.stdout:
                    log.write(line)
                    if self.on_line:
                        log.flush()
                        self.on_line(line.decode(errors="replace").rstrip())
            status = self.process.wait()
        finally:
            alarm.cancel()
            self.kill()
            self.process.stdout.close()
        return None if self.timed_out else status

    def kill(self):
        """Ends the command and its children; it is given time to clean up."""
        process.end_group(self.process, signal.SIGTERM, 20.0)
        process.unregister(self)

    def output(self):
        return self.log_file.read_text(errors="replace")

    def tail(self, lines=60):
        return "\n".join(self.output().splitlines()[-lines:])

    def verdict(self, status):
        """How it ended, in words."""
        if status is None:
            return f"not finished after {self.timeout:g} s"
        return f"ended by signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def _late(self):
        self.timed_out = True
        process.end_group(self.process, signal.SIGTERM, 20.0)
