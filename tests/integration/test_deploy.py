"""The shipped configurations are valid for the binary, and the container has every library it needs."""

import os
import re
import shutil
import subprocess

import pytest

from support.weir import ROOT, binary


@pytest.mark.parametrize("name", ["weir.yml", "compose/weir.yml"])
def test_a_shipped_configuration_is_valid_where_it_will_be(tmp_path, name):
    for folder in ("rules", "checks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "state").mkdir()
    text = (ROOT / "deploy" / name).read_text()
    (tmp_path / "weir.yml").write_text(text.replace("/var/lib/weir", str(tmp_path / "state")))
    done = subprocess.run([binary(), "validate", "--config", tmp_path / "weir.yml"], capture_output=True, text=True,
                          env={**os.environ, "WAREHOUSE_PASSWORD": "x"})
    assert done.returncode == 0, done.stderr


def test_the_readme_s_configuration_is_valid(tmp_path):
    for folder in ("rules", "checks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "weir.yml").write_text(re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1])
    done = subprocess.run([binary(), "validate", "--config", tmp_path / "weir.yml"], capture_output=True, text=True,
                          env={**os.environ, "PGPASSWORD": "x"})
    assert done.returncode == 0, done.stderr


def test_the_container_installs_every_library_that_the_binary_needs():
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", subprocess.run(
        ["readelf", "--dynamic", binary()], check=True, capture_output=True, text=True).stdout))
    provided = set()
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    installed = re.findall(r"\blib[a-z][\w.+-]*|zlib1g", dockerfile.split("FROM")[-1].split("&&")[1])
    for package in [*installed, "libc6", "libstdc++6", "libgcc-s1"]:
        listed = subprocess.run(["dpkg", "--listfiles", package], check=True, capture_output=True, text=True).stdout
        provided |= {line.rsplit("/", 1)[1] for line in listed.splitlines() if ".so" in line}
    assert needed - provided == set()
    unused = {package for package in installed if not needed & set(re.findall(r"[^/\n]+\.so[^\n]*", subprocess.run(
        ["dpkg", "--listfiles", package], check=True, capture_output=True, text=True).stdout))}
    loaded_later = {"libsasl2-modules-gssapi-mit"}  # by librdkafka, for Kerberos
    assert unused <= {"libssl3", "zlib1g", *loaded_later}, f"not needed: {unused}"
