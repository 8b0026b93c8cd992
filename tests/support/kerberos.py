"""A Kerberos realm of its own: a KDC on a loopback port, principals, keytabs."""

import os
import secrets
import socket
import subprocess

from .process import Server, free_port

REALM = "WEIR.TEST"
_PROGRAMS = "/usr/sbin"  # where Debian has the KDC's, whatever PATH is


class Kdc(Server):
    name = "krb5kdc"

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.config = self.folder / "krb5.conf"
        self.cache = self.folder / "tickets"

    def prepare(self):
        self.config.write_text(f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{self.port}
 }}
[domain_realm]
 127.0.0.1 = {REALM}
""")
        (self.folder / "kdc.conf").write_text(f"""[kdcdefaults]
 kdc_ports = {self.port}
 kdc_tcp_ports = {self.port}
 kdc_listen = 127.0.0.1:{self.port}
 kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
 {REALM} = {{
  database_name = {self.folder}/principal
  key_stash_file = {self.folder}/stash
  acl_file = {self.folder}/acl
  max_life = 1h
 }}
[logging]
 kdc = STDERR
""")
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", secrets.token_hex(16))

    def command(self):
        return [f"{_PROGRAMS}/krb5kdc", "-n"]

    def environment(self):
        return {**os.environ, "KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}

    def ready(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def keytab(self, principal, path=None):
        """Makes the principal where it is not there; the keytab that lets one in as it. Older keytabs of it no longer do."""
        path = path or self.folder / f"{principal.replace('/', '-')}.keytab"
        path.unlink(missing_ok=True)
        self._run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {principal}@{REALM}")
        self._run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {path} {principal}@{REALM}")
        return path

    def client_environment(self):
        """What a client of this realm needs."""
        return {"KRB5_CONFIG": str(self.config), "KRB5CCNAME": f"FILE:{self.cache}"}

    def _run(self, program, *arguments):
        subprocess.run([f"{_PROGRAMS}/{program}", *arguments], env=self.environment(), check=True, capture_output=True,
                       timeout=60)
