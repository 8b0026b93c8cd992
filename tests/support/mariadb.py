"""Debian's MariaDB on a loopback port and a socket, with a password, a certificate and a throw-away data folder."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from .process import Server, free_port


def _program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if not found:
        raise RuntimeError("MariaDB is not installed: run deploy/setup test")
    return found


class MariaDb(Server):
    name = "mariadb"
    user = "mysql"  # it refuses to run as root
    death_signal = "KILL"

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.role = "weir"
        self.password = secrets.token_hex(16)
        self.database = "weir"
        self.socket = self.folder / "mariadb.sock"
        self.ca_file = self.folder / "ca.pem"

    @property
    def settings(self):
        """What WEIR_TEST_MARIADB holds: words of the form key=value."""
        return " ".join(f"{key}={value}" for key, value in {
            "host": "127.0.0.1", "port": self.port, "socket": self.socket, "user": self.role,
            "password": self.password, "database": self.database, "ca": self.ca_file}.items())

    def prepare(self):
        self._make_certificates()
        (self.folder / "first.sql").write_text(
            f"CREATE USER {self.role}@'%' IDENTIFIED BY '{self.password}';\n"
            f"CREATE USER {self.role}@localhost IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {self.role}@'%' WITH GRANT OPTION;\n"
            f"GRANT ALL ON *.* TO {self.role}@localhost WITH GRANT OPTION;\n"
            f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4;\n")
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, account.pw_uid, account.pw_gid)
        self._run(self.as_user([
            _program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder / 'data'}", "--skip-test-db",
            "--auth-root-authentication-method=normal", "--skip-log-bin", "--innodb-log-file-size=8M"]))

    def command(self):
        settings = {"datadir": self.folder / "data", "socket": self.socket, "port": self.port,
                    "bind-address": "127.0.0.1", "pid-file": self.folder / "pid", "init-file": self._first(),
                    "ssl-ca": self.ca_file, "ssl-cert": self.folder / "server.pem", "ssl-key": self.folder / "server.key",
                    "innodb-flush-log-at-trx-commit": 0, "innodb-buffer-pool-size": "32M", "innodb-log-file-size": "8M",
                    "performance-schema": "OFF", "max-connections": 60, "default-time-zone": "+03:00"}
        return [_program("mariadbd"), "--no-defaults", "--skip-log-bin", "--skip-name-resolve",
                *[f"--{key}={value}" for key, value in settings.items()]]

    def ready(self):
        # It listens once the init file has run.
        with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as probe:
            return len(probe.recv(5)) == 5

    def execute(self, sql, database="weir"):
        """Runs a statement as the role, by the client program; in no database where that is None."""
        done = subprocess.run([_program("mariadb"), "--no-defaults", f"--socket={self.socket}", f"--user={self.role}",
                               f"--password={self.password}", *([database] if database else []), "-e", sql],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def _first(self):
        """The statements of the first start; later starts have nothing to do."""
        first = self.folder / "first.sql"
        if (self.folder / "pid.started").exists():
            first.write_text("")
        (self.folder / "pid.started").touch()
        return first

    def _make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._run(["openssl", "req", "-x509", *key, "-subj", "/CN=Weir test CA", "-days", "2",
                   "-keyout", self.folder / "ca.key", "-out", self.ca_file])
        self._run(["openssl", "req", "-x509", *key, "-subj", "/CN=mariadb", "-days", "2",
                   "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
                   "-CA", self.ca_file, "-CAkey", self.folder / "ca.key",
                   "-keyout", self.folder / "server.key", "-out", self.folder / "server.pem"])
        self.ca_file.chmod(0o644)

    def _run(self, command):
        done = subprocess.run([str(word) for word in command], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{Path(str(command[0])).name} failed: {done.stdout}{done.stderr}")
