"""What the tests need beyond Debian's packages, fetched once into the cache folder: Java programs from Maven's central
repository, Python packages into a virtual environment."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_POM = Path(__file__).with_name("kafka-pom.xml")
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
APICURIO = "io.apicurio:apicurio-registry-app"


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "weir-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kafka_jars(version):
    """The folder with Kafka's jars and all they need to run."""
    def fetch(folder):
        _maven("-f", _POM, f"-Dkafka.version={version}", f"{_PLUGIN}:copy-dependencies", "-DincludeScope=runtime",
               f"-DoutputDirectory={folder}")
    return _cached(f"kafka-{version}", fetch)


def connect_jars(version):
    """The folder with the jars of Kafka Connect's worker."""
    return _dependencies(f"connect-{version}", "connect-pom.xml", f"-Dkafka.version={version}")


def debezium_plugins(version):
    """The plugin.path with Debezium's connector for PostgreSQL."""
    return _dependencies(f"debezium-{version}", "debezium-pom.xml", f"-Ddebezium.version={version}", "postgres")


def _dependencies(name, pom, version, subfolder=""):
    def fetch(folder):
        _maven("-f", Path(__file__).with_name(pom), version, f"{_PLUGIN}:copy-dependencies", "-DincludeScope=runtime",
               f"-DoutputDirectory={folder / subfolder}")
    return _cached(name, fetch)


def kafka_tools_jar(version):
    """The folder with the jar of Kafka's own command line tools; what they need is in kafka_jars()."""
    def fetch(folder):
        _maven(f"{_PLUGIN}:copy", f"-Dartifact=org.apache.kafka:kafka-tools:{version}", f"-DoutputDirectory={folder}")
    return _cached(f"kafka-tools-{version}", fetch)


def jmx_agent(version="1.0.1"):
    """The jar of the Prometheus JMX exporter that runs inside another Java program."""
    name = "jmx_prometheus_javaagent"
    def fetch(folder):
        _maven(f"{_PLUGIN}:copy", f"-Dartifact=io.prometheus.jmx:{name}:{version}", f"-DoutputDirectory={folder}")
    return _cached(f"jmx-{version}", fetch) / f"{name}-{version}.jar"


def apicurio_folder(version):
    """The folder with Apicurio Registry's runnable jar and its lib/."""
    def fetch(folder):
        _maven(f"{_PLUGIN}:copy", f"-Dartifact={APICURIO}:{version}:tar.gz:all", f"-DoutputDirectory={folder}")
        archive = next(folder.glob("*.tar.gz"))
        subprocess.run(["tar", "-xzf", archive, "-C", folder, "--no-same-owner"], check=True)
        archive.unlink()
    return _cached(f"apicurio-{version}", fetch)


def python(requirements="requirements.txt"):
    """The interpreter of the virtual environment with these requirements."""
    requirements = Path(__file__).with_name(requirements)
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode() + sys.prefix.encode()).hexdigest()[:12]

    def install(folder):
        _run([sys.executable, "-m", "venv", folder])
        _run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps",
              "-r", requirements])
    return _cached(f"python-{key}", install) / "bin/python"


def tool_environment(name):
    """The folder of a virtual environment of its own with requirements-<name>.txt: dbt and Great Expectations need
    versions of packages that others do not. Its programs are in bin/."""
    requirements = Path(__file__).with_name(f"requirements-{name}.txt")
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode() + sys.prefix.encode()).hexdigest()[:12]

    def install(folder):
        _run([sys.executable, "-m", "venv", folder])
        _run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "-r", requirements])
    return _cached(f"{name}-{key}", install)


def _cached(name, fetch):
    """The folder `name` of the cache, filled by `fetch(folder)` when it is not there; never half filled."""
    target = cache_folder() / name
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=cache_folder()))
        try:
            fetch(partial)
            partial.chmod(0o755)
            partial.rename(target)
        except OSError:
            if not target.exists():  # else another run was quicker
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def _maven(*arguments):
    if not shutil.which("mvn"):
        raise RuntimeError("mvn is not installed: run deploy/setup test")
    _run(["mvn", "--batch-mode", "--quiet", *arguments])


def _run(command):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cache_folder())
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
