"""A certificate authority of the tests' own, by openssl."""

import subprocess


def _openssl(*arguments, **more):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, **more)


class Authority:
    """Signs certificates; its own is `certificate`."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self.certificate,
                 "-days", 30, "-subj", f"/CN=Weir test {name}")

    def issue(self, name, hosts=("DNS:localhost", "IP:127.0.0.1"), days=30):
        """Writes <name>.key, <name>.pem and <name>.both, which holds the two as a broker wants them; `days` below 0 is a
        certificate that has expired. Returns the path of <name>.pem."""
        key, request, certificate = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(hosts)}\n")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-out", certificate, "-days", days, "-extfile", extensions)
        (self.folder / f"{name}.both").write_text(key.read_text() + certificate.read_text())
        return certificate
