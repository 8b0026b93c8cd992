"""Reads src/ and the build's table of modules; each rule is a function that returns the places which break it.

The one truth is the weir_module lines of CMakeLists.txt: a link line there is an allowed include.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 600

# Third-party headers that a header of ours may include, with the reason.
HEADER_ALLOWED = {
    ("api/json_values.h", "nlohmann/json_fwd.hpp"): "forward declarations only",
    ("api/lineage_api.h", "nlohmann/json_fwd.hpp"): "forward declarations only",
    ("api/query_json.h", "nlohmann/json_fwd.hpp"): "forward declarations only",
    ("collectors/json_pointer.h", "nlohmann/json_fwd.hpp"): "forward declarations only",
    ("quality/import_json.h", "nlohmann/json_fwd.hpp"): "forward declarations only",
}

# What a pattern finds is forbidden in code (comments and strings left out), but in the modules named.
BANNED = {
    r"\bsleep_(?:for|until)\b|\bu?sleep\s*\(": ("waiting without a deadline or a stop", ()),
    r"\bsystem_clock\s*::\s*now\b": ("judgement takes `now` as an argument", ("runtime",)),
    r"\bstd::(?:thread|jthread|async)\b": ("the only threads are runtime's", ("runtime",)),
    r"\.detach\s*\(\s*\)": ("a detached thread outlives what it uses", ()),
    r"\bcatch\s*\(\s*\.\.\.\s*\)": ("only the job harness catches everything", ("runtime",)),
    r"\b(?:std::rand|srand|strcpy|sprintf|gets|system)\s*\(": ("unsafe", ()),
    r"\bco_(?:await|return|yield)\b": ("g++ 12 miscompiles coroutines", ()),
    r"\bstd::(?:format|print|println)\b": ("g++ 12 has none: fmt", ()),
    r"\bstd::regex\b": ("backtracks without bound: RE2", ()),
    r"\bdelete\s+(?!\s*;)\w": ("ownership is a smart pointer's", ()),
    r"\bstd::(?:cout|cerr|clog)\b|(?<!\w)f?printf\s*\(": ("output is runtime/log's", ("app", "main.cpp")),
}


def modules(root=ROOT):
    """{module: modules it may include}, from CMakeLists.txt."""
    text = re.sub(r"#.*", "", (root / "CMakeLists.txt").read_text())
    table = {}
    for arguments in re.findall(r"\bweir_module\(([^)]*)\)", text):
        words = arguments.split()
        uses = words[words.index("USES") + 1:] if "USES" in words else []
        table[words[0]] = set(uses[:uses.index("LIBS")] if "LIBS" in uses else uses)
    return table


def documented_modules(root=ROOT):
    """The same from the table of src/README.md, where `all` stands for every other module."""
    text = (root / "src/README.md").read_text()
    table = re.search(r"^\| module \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {name: set(uses.split()) for name, _, uses in rows}


def sources(root=ROOT):
    """[(path relative to src/, module, text)] of everything that is compiled; main.cpp is a module of its own."""
    found = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in (".h", ".cpp"):
            name = path.relative_to(root / "src")
            found.append((name.as_posix(), name.parts[0], path.read_text()))
    return found


def includes(text):
    """[(line, bracket, header)]"""
    return [(number, match[1], match[2]) for number, line in enumerate(text.splitlines(), 1)
            if (match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line))]


def forbidden_arrows(root=ROOT):
    table = modules(root)
    problems = []
    for name, module, text in sources(root):
        allowed = {"app"} if module == "main.cpp" else table.get(module, set()) | {module}
        if module != "main.cpp" and module not in table:
            problems.append(f"src/{name}: {module} is no module of CMakeLists.txt")
            continue
        for line, bracket, header in includes(text):
            target = header.split("/")[0]
            if bracket == '"' and (target not in allowed or "/" not in header):
                problems.append(f'src/{name}:{line}: {module} may not include "{header}"')
            if bracket == "<" and target in table and (root / "src" / header).exists():
                problems.append(f"src/{name}:{line}: <{header}> is ours: write it with quotes")
    return problems


def cycles(root=ROOT):
    """Modules that include one another, however indirectly."""
    table = modules(root)

    def reach(start):
        seen, waiting = set(), list(table[start])
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting.extend(table.get(module, ()))
        return seen
    return [f"CMakeLists.txt: {name} depends on itself" for name in table if name in reach(name)]


def third_party_in_headers(root=ROOT):
    """A standard header has neither a slash nor a dot in its name; any other belongs into a .cpp file."""
    return [f"src/{name}:{line}: <{header}> in a header: hide it in the .cpp file, or allow it here with a reason"
            for name, _, text in sources(root) if name.endswith(".h")
            for line, bracket, header in includes(text)
            if bracket == "<" and re.search(r"[./]", header) and (name, header) not in HEADER_ALLOWED]


def banned_words(root=ROOT):
    problems = []
    for name, module, text in sources(root):
        for number, line in enumerate(code_only(text).splitlines(), 1):
            problems += [f"src/{name}:{number}: {match[0]!r}: {reason}" for pattern, (reason, allowed) in BANNED.items()
                         if module not in allowed and (match := re.search(pattern, line))]
    return problems


def code_only(text):
    """C++ with its comments, strings and characters blanked, line breaks kept."""
    token = re.compile(r'R"([^(\s]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|(?<!\w)\'(?:[^\'\\\n]|\\.)+\'',
                       re.DOTALL)
    return token.sub(lambda match: "\n" * match[0].count("\n") or " ", text)


def unfinished(root=ROOT):
    return [f"src/{name}:{number}: {match[0]}: finish it or file an issue"
            for name, _, text in sources(root) for number, line in enumerate(text.splitlines(), 1)
            if (match := re.search(r"\b(?:TODO|FIXME|XXX|HACK)\b", line))]


def long_files(root=ROOT):
    return [f"src/{name}: {count} lines, at most {MOST_LINES}: split it"
            for name, _, text in sources(root) if (count := text.count("\n")) > MOST_LINES]


def headers_without_guard(root=ROOT):
    return [f"src/{name}: no #pragma once" for name, _, text in sources(root)
            if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE)]
