"""Debian's amtool, which talks to an Alertmanager or to what answers like one."""

import json
import subprocess


class Amtool:
    def __init__(self, url):
        self.url = url

    def run(self, *arguments, check=True):
        done = subprocess.run(["amtool", f"--alertmanager.url={self.url}", *arguments], capture_output=True, text=True,
                              timeout=30)
        if check:
            assert done.returncode == 0, f"amtool {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def text(self, *arguments):
        return self.run(*arguments).stdout.strip()

    def json(self, *arguments):
        return json.loads(self.run("--output=json", *arguments).stdout)
