"""The rules on this source tree, and on small trees that break each of them."""

import pytest

from architecture import scan

RULES = [scan.forbidden_arrows, scan.cycles, scan.third_party_in_headers, scan.banned_words, scan.unfinished,
         scan.long_files, scan.headers_without_guard]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_tree_keeps(rule):
    problems = rule()
    assert not problems, "\n" + "\n".join(problems)


def test_the_documented_table_is_the_build_s():
    built, documented = scan.modules(), scan.documented_modules()
    documented["app"] = built["app"] if documented["app"] == {"all"} else documented["app"]
    assert documented == built
    assert built["app"] == set(built) - {"app"}


def test_every_folder_is_scanned():
    scanned = {module for _, module, _ in scan.sources()}
    folders = {path.name for path in (scan.ROOT / "src").iterdir() if path.is_dir()}
    assert folders <= scanned
    assert len(scan.sources()) > 100


@pytest.fixture
def tree(tmp_path):
    """Writes files of a small source tree and returns its root."""
    def write(files, cmake="weir_module(core)\nweir_module(net USES core LIBS x)\nweir_module(app USES core net)"):
        (tmp_path / "CMakeLists.txt").write_text(cmake)
        for name, text in files.items():
            path = tmp_path / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path
    return write


@pytest.mark.parametrize("name, text", [
    ("core/a.h", '#include "net/http.h"'),          # against the arrow
    ("net/a.cpp", '#  include "app/app.h"'),
    ("net/a.cpp", '#include "a.h"'),                # not from src/
    ("net/a.cpp", '#include "../core/a.h"'),
    ("stray/a.cpp", ""),                            # no module
    ("main.cpp", '#include "net/http.h"'),
])
def test_an_include_that_is_not_allowed_is_found(tree, name, text):
    assert scan.forbidden_arrows(tree({name: text}))


def test_allowed_includes_pass(tree):
    root = tree({"core/a.h": "#include <string>", "net/a.cpp": '#include "core/a.h"\n#include "net/b.h"',
                 "main.cpp": '#include "app/app.h"'})
    assert scan.forbidden_arrows(root) == []


def test_our_header_in_angle_brackets_is_found(tree):
    assert scan.forbidden_arrows(tree({"core/a.h": "", "net/a.cpp": "#include <core/a.h>"}))


def test_a_cycle_is_found(tree):
    root = tree({}, "weir_module(a USES b)\nweir_module(b USES c LIBS l)\nweir_module(c USES a)\nweir_module(d USES a)")
    assert len(scan.cycles(root)) == 3


@pytest.mark.parametrize("header", ["boost/asio.hpp", "sqlite3.h", "pqxx/pqxx"])
def test_a_third_party_header_in_a_header_is_found(tree, header):
    text = f"#include <{header}>"
    assert scan.third_party_in_headers(tree({"net/a.h": text}))
    assert not scan.third_party_in_headers(tree({"net/a.h": "#include <vector>", "net/a.cpp": text}))


@pytest.mark.parametrize("code", [
    "std::this_thread::sleep_for(1s);", "const auto now = std::chrono::system_clock::now();", "std::thread t;",
    "t.detach();", "} catch (...) {", "system(command);", "co_await x;", "std::format(x);", "std::regex r;",
    "delete pointer;", "std::cout << 1;", 'printf("x");'])
def test_a_banned_word_is_found_in_code_but_not_in_comments_or_strings(tree, code):
    assert scan.banned_words(tree({"net/a.cpp": f"int x;\n{code}\n"}))
    quoted = code.replace("\\", "\\\\").replace('"', '\\"')
    assert not scan.banned_words(tree({"net/a.cpp": f'// {code}\n/* {code}\n{code} */ auto s = "{quoted}";\n'
                                                    f'auto r = R"x({code}\n)x";'}))


def test_words_that_only_look_banned_pass(tree):
    assert not scan.banned_words(tree({"net/a.cpp": "A(const A&) = delete;\nint printfs; snprintf(a, b);\nchar c = '\"';"}))


def test_unfinished_work_long_files_and_missing_guards_are_found(tree):
    root = tree({"net/a.h": "// TO" "DO: later\n" * 601})
    assert len(scan.unfinished(root)) == 601
    assert scan.long_files(root)
    assert scan.headers_without_guard(root)
