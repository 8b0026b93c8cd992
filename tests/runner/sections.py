"""The sections of the test run. Each is a function of the context that returns a Tally."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from support import artifacts
from support.mariadb import MariaDb
from support.postgres import Postgres
from support.weir import Demo

from . import results
from .build import build
from .results import Tally
from .task import Task


def static(context):
    """The module diagram, the deployment's files, the SQL of each dialect, format, shell scripts."""
    tally = pytest(context, "static", ["architecture", "deploy", "sql"])
    sources = context.tracked("*.h", "*.cpp")
    tally.add(tool(context, "clang-format", ["clang-format", "--dry-run", "-Werror", *sources], sources))
    scripts = [path for path in context.tracked() if is_shell_script(context.root / path)]
    tally.add(tool(context, "shellcheck", ["shellcheck", "--external-sources", *scripts], scripts))
    return tally


def is_shell_script(path):
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return re.match(rb"#!.*\b(?:ba)?sh\b", file.readline(80)) is not None


def rules(context):
    """Prometheus's own tool on the shipped rules and their unit tests."""
    tally = Tally()
    shipped, tests = [], []
    for path in context.tracked("rules/*.yml", "rules/**/*.yml"):
        (tests if re.search(r"^tests:", (context.root / path).read_text(), re.MULTILINE) else shipped).append(path)
    for path in shipped:
        tally.add(tool(context, f"check-{path}", ["promtool", "check", "rules", "--lint=all", "--lint-fatal", path], [path]))
    for path in tests:
        tally.add(tool(context, f"test-{path}", ["promtool", "test", "rules", path], [path]))
    if not shipped or not tests:
        tally.fail("rules", "no rule files or no unit tests of them were found in rules/")
    return tally


def unit(context):
    """The GoogleTest programs, with a real PostgreSQL and MariaDB."""
    problem = build(context, "ci")
    if problem:
        return failed("build ci", problem)
    return unit_tests(context, "ci", {})


def sanitize(context):
    """The unit tests under AddressSanitizer and UndefinedBehaviorSanitizer; with --long ThreadSanitizer too."""
    tally = Tally()
    for preset in ["sanitize", "tsan"] if context.long else ["sanitize"]:
        problem = build(context, preset, [f"{name}_tests" for name in context.test_modules()])
        tally.add(failed(f"build {preset}", problem) if problem else unit_tests(context, preset, {
            "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
            "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "second_deadlock_stack=1"}))
    return tally


def unit_tests(context, preset, environment):
    names = context.test_modules()
    folder = context.root / "build" / preset / "bin"
    with Postgres() as postgres, MariaDb() as mariadb, ThreadPoolExecutor(2) as pool:
        environment = {**environment, "WEIR_TEST_POSTGRES": postgres.url, "WEIR_TEST_MARIADB": mariadb.settings}
        runs = list(pool.map(
            lambda name: gtest(context, folder / f"{name}_tests", f"{preset}-{name}", environment), names))
    tally = Tally()
    for run in runs:
        tally.add(run)
    if tally.empty():
        tally.fail("unit", "no test was run" + (f" that has {context.pattern!r} in its name" if context.pattern else ""))
    return tally


def gtest(context, program, name, environment):
    if not program.exists():
        return failed(name, f"{program} is not there")
    report = context.results / f"{name}.json"
    report.unlink(missing_ok=True)
    task = Task([program, f"--gtest_output=json:{report}", f"--gtest_filter=*{context.pattern}*"],
                context.results / f"{name}.log", cwd=context.results, environment=environment, timeout=600.0)
    status = task.run()
    tally = results.from_gtest(report) if report.exists() else Tally()
    if status != 0 and not tally.failures:
        tally.fail(name, f"{task.verdict(status)}\n{task.tail()}")
    if tally.empty() and not context.pattern:
        tally.fail(name, "the program has no tests")
    return tally


def web(context):
    """The page: types, its own tests, and the page of a running demo in a real browser."""
    tally = Tally()
    browser = context.root / "tests/web"
    for folder in (context.root / "web", browser):
        if not (folder / "package.json").exists():
            tally.fail(folder.name, f"{folder}/package.json is not there")
            continue
        install = Task(["npm", "ci", "--no-audit", "--no-fund"], context.results / f"npm-ci-{folder.parent.name}.log",
                       cwd=folder)
        status = install.run()
        if status != 0:
            tally.fail(f"npm ci in {folder}", f"{install.verdict(status)}\n{install.tail()}")
        elif folder == browser:
            tally.add(browser_tests(context, folder))
        else:
            tally.add(tool(context, "web-types", ["npm", "run", "check"], ["web"], cwd=folder))
            tally.add(node_tests(context, "web-unit", folder, {}))
    return tally


def browser_tests(context, folder):
    problem = build(context, "ci", ["weir"])
    if problem:
        return failed("build weir", problem)
    with Demo() as demo:
        tally = node_tests(context, "web-browser", folder, {"WEIR_URL": demo.url, "WEIR_BINARY": str(context.binary)})
        if not demo.running():
            tally.fail("weir demo", f"it ended during the tests:\n{demo.log_tail()}")
    return tally


def node_tests(context, name, folder, environment):
    task = Task(["npm", "test", "--silent", "--", "--test-reporter=tap"], context.results / f"{name}.log", cwd=folder,
                environment=environment, timeout=300.0)
    status = task.run()
    tally = results.from_node(task.output())
    if tally.failures or status != 0 or tally.empty():
        print(task.tail(80), flush=True)
    if tally.empty() or (status != 0 and not tally.failures):
        tally.fail(name, f"{task.verdict(status)}; its summary was not found or disagrees, see {task.log_file}")
    return tally


def integration(context):
    """The server manager, and the reference scenario against real servers."""
    problem = build(context, "ci", ["weir"])
    if problem:
        return failed("build weir", problem)
    # Two at a time, a file's tests in their order: mostly they wait for servers.
    return pytest(context, "integration", ["support", "integration"], timeout=7200.0 if context.long else 2700.0,
                  options=["-n", "2", "--dist", "loadfile"], show=True)


def pytest(context, name, folders, timeout=300.0, options=(), show=False):
    present = [folder for folder in folders if (context.root / "tests" / folder).is_dir()]
    report = context.results / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [artifacts.python(), "-m", "pytest", "-v", "--color=no", f"--junitxml={report}", *options, *present]
    if context.pattern:
        command += ["-k", context.pattern]
    hours = {"WEIR_MODEL_SECONDS": "600", "WEIR_KILLS": "2000", "WEIR_NOISE_SECONDS": "3600"}
    environment = {"PYTHONUNBUFFERED": "1", **(hours if context.long else {})}
    task = Task(command, context.results / f"{name}.log", cwd=context.root / "tests", timeout=timeout,
                environment=environment, on_line=show_test if show else None)
    status = task.run()
    tally = results.from_junit(report) if report.exists() else Tally()
    nothing_matched = status == 5 and context.pattern
    if status != 0 and not tally.failures and not nothing_matched:
        tally.fail(name, f"pytest: {task.verdict(status)}\n{task.tail()}")
    return tally


def show_test(line):
    """Of pytest's output the lines that say how one test ended."""
    if re.search(r" (?:PASSED|FAILED|ERROR|SKIPPED)\b", line):
        print(f"  {line}", flush=True)


def fuzz(context):
    """Every fuzz target for a while, from its seeds; a finding leaves its input in the results folder."""
    sources = sorted((context.root / "tests/fuzz").glob("*_fuzz.cpp"))
    if not sources:
        return failed("fuzz", "tests/fuzz has no targets")
    problem = build(context, "sanitize", [source.stem for source in sources])
    if problem:
        return failed("build the fuzz targets", problem)
    seconds = 600 if context.long else 20
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda source: fuzz_target(context, source, seconds), sources))
    tally = Tally()
    for run in runs:
        tally.add(run)
    return tally


def fuzz_target(context, source, seconds):
    name = source.stem
    found = context.results / f"{name}-corpus"
    found.mkdir(exist_ok=True)
    # The shipped rules and checks are good beginnings for all of them.
    seeds = [path for path in (source.parent / "corpus" / name, context.root / "rules", context.root / "checks")
             if path.is_dir()]
    task = Task([context.root / "build/sanitize/bin" / name, f"-max_total_time={seconds}", "-timeout=10",
                 "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={context.results}/{name}-", found, *seeds],
                context.results / f"{name}.log", timeout=seconds + 60.0)
    status = task.run()
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", task.output())
    if status == 0 and executed and int(executed[1]) > 0:
        print(f"  {name}: {executed[1]} inputs", flush=True)
        return Tally(passed=1)
    return failed(name, f"{task.verdict(status)}\n{task.tail(80)}")


def tool(context, name, command, inputs, cwd=None):
    """One tool that says by its exit status whether all its inputs are right."""
    if not inputs:
        return failed(name, "nothing to check was found")
    task = Task(command, context.results / f"{name.replace('/', '-')}.log", cwd=cwd or context.root)
    try:
        status = task.run()
    except OSError as error:
        return failed(name, str(error))
    return Tally(passed=1) if status == 0 else failed(name, f"{task.verdict(status)}\n{task.tail()}")


def failed(name, text):
    tally = Tally()
    tally.fail(name, text)
    return tally


ALL = {"static": static, "rules": rules, "unit": unit, "integration": integration, "web": web, "fuzz": fuzz,
       "sanitize": sanitize}


class Context:
    """What the sections share."""

    def __init__(self, root, long, pattern):
        self.root = root
        self.long = long
        self.pattern = pattern
        self.results = root / "build/test-results"
        self.results.mkdir(parents=True, exist_ok=True)
        self.binary = root / "build/ci/bin/weir"
        self.built = {}
        self.times = []  # (section or build, seconds), in order; a section's has its builds' in it
        os.environ["WEIR_BINARY"] = str(self.binary)

    def tracked(self, *patterns):
        """Files of the repository that exist, new ones that are not ignored among them."""
        done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
                              cwd=self.root, check=True, capture_output=True, text=True)
        return sorted(path for path in set(done.stdout.splitlines()) if (self.root / path).exists())

    def test_modules(self):
        """Modules that have GoogleTest programs."""
        return sorted({path.parent.name for path in (self.root / "tests").glob("*/*_test.cpp")})
