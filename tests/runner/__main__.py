"""`tests/run`: runs the sections and says how many tests passed and failed."""

import argparse
import sys
import time
import traceback
from pathlib import Path

from support import process

from . import sections
from .results import Tally


def arguments():
    described = "\n".join(f"  {name:12} {section.__doc__}" for name, section in sections.ALL.items())
    parser = argparse.ArgumentParser(prog="tests/run", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Builds Weir and runs its tests.", epilog=f"sections:\n{described}")
    parser.add_argument("sections", nargs="*", metavar="section", help="run only these; all when none is named")
    parser.add_argument("-k", dest="pattern", default="", help="only unit and integration tests with this in their name")
    parser.add_argument("--long", action="store_true", help="fuzz for 10 minutes a target, and run under ThreadSanitizer too")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sections if name not in sections.ALL]
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(sections.ALL)}")
    return chosen


def run_section(name, context):
    print(f"== {name}", flush=True)
    began = time.monotonic()
    try:
        tally = sections.ALL[name](context)
    except Exception as error:  # a section that cannot run is a failure, and the others still run
        notes = "\n".join(getattr(error, "__notes__", []))
        tally = sections.failed(name, f"the section could not run: {error}\n{notes}\n{traceback.format_exc()}")
    if tally.empty() and not context.pattern:
        tally.fail(name, "the section ran no test")
    for test, text in tally.failures:
        print(f"FAILED {test}\n    " + text.replace("\n", "\n    "), flush=True)
    took = time.monotonic() - began
    context.times.append((name, took))
    print(f"== {name}: {tally.passed} passed, {len(tally.failures)} failed, {took:.0f} s", flush=True)
    return tally


def main():
    chosen = arguments()
    process.handle_signals()
    context = sections.Context(Path(__file__).resolve().parents[2], chosen.long, chosen.pattern)
    total = Tally()
    for name in chosen.sections or sections.ALL:
        total.add(run_section(name, context))
    if total.empty():
        total.fail("tests/run", f"no test has {chosen.pattern!r} in its name")
    print("seconds: " + ", ".join(f"{what} {took:.0f}" for what, took in context.times))
    if total.failures:
        print("failed:\n" + "\n".join(f"  {name}" for name, _ in total.failures))
    print(f"{total.passed} passed, {len(total.failures)} failed", flush=True)
    return 1 if total.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        process.clean_up()
        sys.exit("interrupted")
