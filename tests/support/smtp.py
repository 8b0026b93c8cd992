"""A mail server that records what it is handed, with STARTTLS and a script of answers."""

import base64
import hmac
import socketserver
import ssl
import threading

from .process import free_port


class SmtpServer:
    """`script` maps a verb ("MAIL", "RCPT", "DATA", "." for the text, "AUTH") to the answers to its next uses; after the
    last it succeeds. With `certificate` (a .pem beside its .key) it offers STARTTLS; with `user` it takes mail after
    `mechanisms` (PLAIN, CRAM-MD5)."""

    def __init__(self, certificate=None, user=None, script=None, mechanisms="PLAIN"):
        self.mails = []  # (sender, recipients, text, encrypted, user)
        self.user = user  # (name, password)
        self.mechanisms = mechanisms
        self.script = {verb: list(answers) for verb, answers in (script or {}).items()}
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, certificate.with_suffix(".key"))
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                _Session(owner, self.connection).run()

        self.port = free_port()
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def smarthost(self):
        return f"localhost:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Session:
    def __init__(self, owner, connection):
        self.owner = owner
        self.connection = connection
        self.encrypted = False
        self.user = None
        self.sender, self.recipients = None, []
        self.buffer = b""

    def line(self):
        while b"\r\n" not in self.buffer:
            data = self.connection.recv(4096)
            if not data:
                raise ConnectionError
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def answer(self, verb, otherwise):
        waiting = self.owner.script.get(verb)
        text = waiting.pop(0) if waiting else otherwise
        if text == "reset":
            raise ConnectionError
        self.say(text)
        return text[0] in "23"

    def run(self):
        try:
            self.say("220 test")
            while self.command(self.line()):
                pass
        except (ConnectionError, OSError):
            self.connection.close()

    def command(self, line):
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            lines = ["test"] + (["STARTTLS"] if self.owner.tls and not self.encrypted else [])
            lines += ["AUTH " + self.owner.mechanisms] if self.owner.user else []
            for i, each in enumerate(lines):
                self.say(f"250{' ' if i == len(lines) - 1 else '-'}{each}")
        elif verb == "STARTTLS":
            self.say("220 go on")
            self.connection = self.owner.tls.wrap_socket(self.connection, server_side=True)
            self.encrypted = True
        elif verb == "AUTH":
            words = line.split(" ")
            if words[1] == "CRAM-MD5":
                return self.cram_md5()
            if len(words) < 3:
                self.say("334 ")
                words.append(self.line())
            _, name, password = base64.b64decode(words[2]).decode().split("\0")
            self.user = name
            self.answer("AUTH", "235 ok" if (name, password) == self.owner.user else "535 wrong")
        elif verb == "MAIL":
            self.sender, self.recipients = line[line.index("<") + 1:line.index(">")], []
            self.answer("MAIL", "250 ok")
        elif verb == "RCPT":
            self.recipients.append(line[line.index("<") + 1:line.index(">")])
            self.answer("RCPT", "250 ok")
        elif verb == "DATA":
            if self.answer("DATA", "354 go on"):
                self.text()
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def cram_md5(self):
        """RFC 2195."""
        challenge = b"<1896.697170952@test>"
        self.say("334 " + base64.b64encode(challenge).decode())
        name, digest = base64.b64decode(self.line()).decode().split(" ")
        self.user = name
        expected = hmac.new(self.owner.user[1].encode(), challenge, "md5").hexdigest()
        self.answer("AUTH", "235 ok" if (name, digest) == (self.owner.user[0], expected) else "535 wrong")
        return True

    def text(self):
        lines = []
        while (line := self.line()) != ".":
            lines.append(line[1:] if line.startswith("..") else line)
        if self.answer(".", "250 taken"):
            self.owner.mails.append((self.sender, self.recipients, "\r\n".join(lines), self.encrypted, self.user))
