"""What a section found, read from machine-readable reports only."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Tests that passed, by count, and those that failed, with why. A skipped test has failed: nothing was shown."""

    passed: int = 0
    failures: list = field(default_factory=list)  # (name, text)

    def ok(self, count=1):
        self.passed += count

    def fail(self, name, text):
        self.failures.append((name, text.strip()))

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        return self

    def empty(self):
        return not self.passed and not self.failures


def from_gtest(path):
    """A report of --gtest_output=json."""
    tally = Tally()
    for suite in json.loads(path.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            if test["status"] == "NOTRUN":
                if test["name"].startswith("DISABLED_"):
                    tally.fail(name, "disabled: correct it or delete it")
            elif test.get("failures"):
                tally.fail(name, "\n".join(failure["failure"] for failure in test["failures"]))
            elif test["result"] == "COMPLETED":
                tally.ok()
            else:
                tally.fail(name, "skipped: " + "; ".join(note["message"] for note in test.get("skipped", [])))
    return tally


def from_junit(path):
    """A report of pytest --junitxml."""
    tally = Tally()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        problems = [child for child in case if child.tag in ("failure", "error", "skipped")]
        if problems:
            said = case.findtext("system-out") or ""
            tally.fail(name, "\n".join(f"{child.tag}: {child.get('message') or ''}\n{child.text or ''}"
                                       for child in problems) + said)
        else:
            tally.ok()
    return tally


def from_node(text):
    """The summary of `node --test`, as TAP or for people; failures by their "not ok" lines."""
    counts = dict(re.findall(r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d+)$", text, re.MULTILINE))
    tally = Tally(passed=int(counts.get("pass", 0)))
    bad = sum(int(counts.get(kind, 0)) for kind in ("fail", "cancelled", "skipped", "todo"))
    names = re.findall(r"^\s*(?:not ok \d+ - |✖ )(.*)$", text, re.MULTILINE)
    for number in range(bad):
        tally.fail(names[number] if number < len(names) else f"node test {number + 1}", "see the output above")
    return tally
