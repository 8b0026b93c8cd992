"""Debian's PostgreSQL on a loopback port, with a password and a throw-away cluster."""

import os
import pwd
import secrets
import subprocess
from pathlib import Path

from .process import Server, free_port


def _programs():
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders:
        raise RuntimeError("PostgreSQL is not installed: run deploy/setup test")
    return folders[-1]


class Postgres(Server):
    name = "postgres"
    user = "postgres"  # it refuses to run as root
    death_signal = "QUIT"  # an immediate shutdown, which still removes its shared memory

    def __init__(self, settings=None):
        super().__init__()
        self.settings = settings or {}
        self.port = free_port()
        self.role = "weir"
        self.password = secrets.token_hex(16)

    def address_of(self, database, role=None):
        """The URL of a database, without the password."""
        return f"postgresql://{role or self.role}@127.0.0.1:{self.port}/{database}"

    @property
    def url(self):
        return self.address_of("postgres").replace("@", f":{self.password}@")

    def prepare(self):
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        (self.folder / "password").write_text(self.password)
        (self.folder / "password").chmod(0o644)
        done = subprocess.run(
            self.as_user([_programs() / "initdb", "-D", self.folder / "data", "-U", self.role, "--auth=scram-sha-256",
                          f"--pwfile={self.folder / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]),
            cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def command(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off",
                    "max_connections": 50, "shared_buffers": "32MB", "timezone": "UTC", **self.settings}
        return [_programs() / "postgres", "-D", self.folder / "data",
                *[word for key, value in settings.items() for word in ("-c", f"{key}={value}")]]

    def ready(self):
        return subprocess.run([_programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def execute(self, sql, database="postgres"):
        """Runs statements as the superuser, committed; returns the rows of the last one, if it has some."""
        import psycopg  # of the virtual environment, which starting the server does not need
        with psycopg.connect(self.address_of(database), password=self.password, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else None
