"""Configures and builds a preset, with visible progress."""

import re
import sys
import time

from .task import Task


class Progress:
    """Shows ninja's status lines: in place on a terminal, else one every 15 seconds."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.next = 0.0
        self.problems = False

    def __call__(self, line):
        if not re.match(r"\[\d+/\d+", line):
            # Lines that are no status belong to a compiler that has something to say.
            self.problems = self.problems or "error" in line or line.startswith("FAILED")
            if self.problems:
                print(line, flush=True)
        elif self.terminal:
            print(f"\r\033[K{line[:100]}", end="", flush=True)
        elif time.monotonic() >= self.next:
            self.next = time.monotonic() + 15
            print(f"  {line[:110]}", flush=True)

    def end(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def build(context, preset, targets=()):
    """Returns "" when the preset is built, else why it is not. Built once a run."""
    key = (preset, tuple(targets))
    if key not in context.built:
        began = time.monotonic()
        context.built[key] = _build(context, preset, targets)
        context.times.append((f"build {preset}", time.monotonic() - began))
    return context.built[key]


def _build(context, preset, targets):
    configure = Task(["cmake", "--preset", preset], context.results / f"configure-{preset}.log",
                     cwd=context.root)
    status = configure.run()
    if status != 0:
        return f"cmake --preset {preset}: {configure.verdict(status)}\n{configure.tail()}"
    progress = Progress()
    command = ["cmake", "--build", "--preset", preset, *(["--target", *targets] if targets else [])]
    compile_ = Task(command, context.results / f"build-{preset}.log", cwd=context.root, timeout=2400.0,
                    environment={"NINJA_STATUS": "[%f/%t %p, %es] "}, on_line=progress)
    status = compile_.run()
    progress.end()
    return "" if status == 0 else f"{' '.join(command)}: {compile_.verdict(status)}; see {compile_.log_file}"
