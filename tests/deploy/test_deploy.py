"""What deploy/ holds, as far as it can be checked without an engine for containers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def instructions():
    """The Dockerfile's instructions with continued lines joined: [(name, arguments)]."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def copied():
    """Sources of COPY that come from this tree."""
    return [source for name, arguments in instructions() if name == "COPY" and not arguments.startswith("--from")
            for source in arguments.split()[:-1]]


def test_every_path_in_the_dockerfile_exists():
    assert len(copied()) >= 8
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_the_dockerfile_copies_all_that_the_build_reads(tmp_path):
    for source in copied():
        target = tmp_path / source
        target.parent.mkdir(parents=True, exist_ok=True)
        path = ROOT / source
        shutil.copytree(path, target, ignore=shutil.ignore_patterns("node_modules", "dist")) if path.is_dir() \
            else shutil.copy(path, target)
    done = subprocess.run(["cmake", "--preset", "release"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    plan = subprocess.run(["ninja", "-C", "build/release", "-n", "weir"], cwd=tmp_path, capture_output=True, text=True)
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_the_container_is_not_root_and_says_how_it_is():
    names = [name for name, _ in instructions()]
    last = dict(instructions())
    assert last["USER"] == "weir" and names.index("USER") > len(names) - 1 - names[::-1].index("FROM")
    assert "/-/healthy" in last["HEALTHCHECK"]
    assert json.loads(last["ENTRYPOINT"]) == ["weir"]
    config = json.loads(last["CMD"])[-1]
    assert any(name == "COPY" and arguments.endswith(f" {config}") for name, arguments in instructions())
    assert all(arguments.split()[0] == "debian:12-slim" for name, arguments in instructions() if name == "FROM")


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yml")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_yaml_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def compose():
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


def test_the_compose_file_names_things_that_exist():
    services, volumes = compose()["services"], compose()["volumes"]
    assert set(services) == {"kafka", "registry", "warehouse", "weir", "prometheus", "grafana"}
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        assert ":latest" not in service.get("image", ":1") and ":" in service.get("image", ":"), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in volumes, f"{name}: {volume}"
        assert set(service.get("depends_on", {})) <= set(services), name
        for dependency, condition in service.get("depends_on", {}).items():
            assert condition["condition"] != "service_healthy" or "healthcheck" in services[dependency], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is open to other machines"
    context = (DEPLOY / services["weir"]["build"]["context"]).resolve()
    assert (context / services["weir"]["build"]["dockerfile"]) == DEPLOY / "Dockerfile"


def test_the_configurations_address_the_compose_services():
    services = set(compose()["services"])
    weir = yaml.safe_load((DEPLOY / "compose/weir.yml").read_text())
    addressed = {weir["kafka"][0]["brokers"].split(":")[0],
                 re.match(r"http://([^:/]+)", weir["schema_registries"][0]["url"])[1],
                 re.search(r"@([^/:]+)", weir["sources"][0]["url"])[1]}
    prometheus = yaml.safe_load((DEPLOY / "compose/prometheus.yml").read_text())
    addressed |= {target.split(":")[0] for target in prometheus["scrape_configs"][0]["static_configs"][0]["targets"]}
    grafana = yaml.safe_load((DEPLOY / "compose/grafana/provisioning/datasources/prometheus.yml").read_text())
    asked = [re.match(r"http://([^:/]+)", source["url"])[1] for source in grafana["datasources"]]
    assert asked == ["weir", "prometheus"] and [source.get("isDefault", False) for source in grafana["datasources"]] == [True, False]
    addressed |= set(asked)
    assert addressed == {"kafka", "registry", "warehouse", "weir", "prometheus"}


def test_prometheus_accepts_its_configuration(tmp_path):
    config = yaml.safe_load((DEPLOY / "compose/prometheus.yml").read_text())
    config["rule_files"] = [str(ROOT / "rules/*.yml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    done = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_is_valid_and_hardened(tmp_path):
    unit = tmp_path / "weir.service"
    # The program is not installed here; any other executable takes its place.
    unit.write_text((DEPLOY / "weir.service").read_text().replace("/usr/local/bin/weir", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert verified.returncode == 0 and verified.stderr == "", verified.stderr
    rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", unit],
                           capture_output=True, text=True)
    assert rated.returncode == 0, rated.stdout


def test_setup_has_nothing_to_install_after_it_ran():
    done = subprocess.run([DEPLOY / "setup", "test"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
