"""Schemas of three formats in a real Apicurio: versions, levels, references, candidates in CI, TLS, topics and tables."""

import http.client
import json
import ssl
import struct
import subprocess
import threading
import xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integration import shop
from support import kafka_clients
from support.http import Answer, HttpServer, request
from support.kafka_tls import Authority
from support.process import free_port
from support.wait import until
from support.weir import binary

MONEY = 'syntax = "proto3"; package money; message Money { int64 cents = 1; }'
ORDER = ('syntax = "proto3"; package shop; import "money.proto"; '
         "message Order { int64 id = 1; money.Money price = 2; }")


def record(*fields, name="Order"):
    return {"type": "record", "name": name, "namespace": "shop", "fields": list(fields)}


def field(name, kind="string", **more):
    return {"name": name, "type": kind, **more}


def events(weir, kind):
    """Texts of the timelines' entries, which quote the events."""
    return [entry["text"] for incident in weir.incidents() for entry in incident["timeline"] if kind in entry["text"]]


def watched(registry, prefix, **more):
    return shop.registry_section(registry.url, subjects={"allow": [f"^{prefix}"]}, **more)


def compatible(weir, subject):
    return weir.sample("schema_registry_subject_compatible", subject=subject)


def test_an_incompatible_version_of_each_format_is_told_with_its_fields(registry, rules, webhook, start_weir):
    money = record(field("cents", "long"), name="Money")
    registry.register("three-money", money)
    registry.register("three-money.proto", MONEY, "PROTOBUF")
    price = field("price", "shop.Money")
    avro_references = [("shop.Money", "three-money", 1)]
    proto_references = [("money.proto", "three-money.proto", 1)]
    first = {
        "three-avro-value": (record(field("id", "long"), price), None, avro_references),
        "three-proto-value": (ORDER, "PROTOBUF", proto_references),
        "three-json-value": ({"type": "object", "properties": {"id": {"type": "integer"}}}, "JSON", ()),
    }
    second = {
        "three-avro-value": (record(field("id", "long"), price, field("note")), None, avro_references),
        "three-proto-value": (ORDER.replace("int64 id", "string id"), "PROTOBUF", proto_references),
        "three-json-value": ({"type": "object", "properties": {"id": {"type": "string"}}}, "JSON", ()),
    }
    for subject, (schema, kind, references) in first.items():
        assert registry.register(subject, schema, kind, references).status == 200
    weir = start_weir({"schema_registries": [watched(registry, "three-", cluster="shop")], "rules": rules,
                       **shop.notify_section(webhook)})
    for subject, (schema, kind, references) in second.items():
        until("Weir knows its first version", lambda subject=subject: weir.sample(
            "schema_registry_subject_latest_version", subject=subject) == 1)
        assert registry.register(subject, schema, kind, references).status == 200
        until("Weir knows its second version", lambda subject=subject: weir.sample(
            "schema_registry_subject_latest_version", subject=subject) == 2)
        assert compatible(weir, subject) == 1, "its level is NONE"
        registry.set_compatibility(subject, "BACKWARD")
        until(f"{subject} is incompatible", lambda subject=subject: compatible(weir, subject) == 0)
        assert weir.sample("schema_registry_subject_incompatible_versions", subject=subject) == 1
    for subject, words in {"three-avro-value": "it added field note (string) without a default",
                           "three-proto-value": "it changed the type of field id from int64 to string",
                           "three-json-value": "it changed the type of field id from integer to string"}.items():
        until(f"the cause of {subject} names the field", lambda subject=subject, words=words: any(
            incident["labels"].get("subject") == subject and words in incident["cause"]
            for incident in weir.incidents()))
    info = {labels["subject"]: labels for labels, _ in weir.metrics()["schema_registry_subject_info"]}
    assert {name: (info[name]["format"], info[name].get("record"), info[name]["topic"]) for name in first} == {
        "three-avro-value": ("AVRO", "shop.Order", "three-avro"),
        "three-proto-value": ("PROTOBUF", "shop.Order", "three-proto"),
        "three-json-value": ("JSON", None, "three-json")}
    assert weir.collector("schema_registry/shop")["success"]


def test_levels_deletions_and_transitive_checks(registry, start_weir):
    subject = "life-value"
    versions = [record(field("a")), record(field("b", default="")), record(field("b", default=""), field("c", default=""))]
    for version in versions:
        assert registry.register(subject, version).status == 200
    registry.set_compatibility(subject, "FULL_TRANSITIVE")
    weir = start_weir({"schema_registries": [watched(registry, "life-")]})

    def finding(kind):
        return weir.sample("schema_registry_subject_finding", subject=subject, finding=kind)
    # The second has a field fewer without a default: forward that breaks with the first, for the third as well.
    until("the newest version is compared with all", lambda: compatible(weir, subject) == 0)
    until("so is the second", lambda: weir.sample(
        "schema_registry_subject_incompatible_versions", subject=subject) == 2)
    assert finding("level_none") is None
    registry.set_compatibility(subject, "FULL")
    until("the level is looser", lambda: finding("level_loosened") == 1)
    until("the newest is compatible with the last", lambda: compatible(weir, subject) == 1)
    registry.set_compatibility(subject, "FULL_TRANSITIVE")
    until("it is strict again", lambda: finding("level_loosened") is None)
    registry.delete_version(subject, 1)
    until("a version is gone", lambda: weir.sample("schema_registry_subject_versions", subject=subject) == 2)
    until("softly", lambda: weir.sample("schema_registry_subject_soft_deleted_versions", subject=subject) == 1)
    until("and the others fit", lambda: compatible(weir, subject) == 1)
    registry.delete(subject)
    until("the subject is gone", lambda: weir.sample("schema_registry_subject_versions", subject=subject) is None)
    assert weir.sample("schema_registry_subjects_soft_deleted") == 1


def test_a_subject_that_is_deleted_for_good_and_created_anew_between_two_looks(registry, start_weir):
    subject = "anew-value"
    assert registry.register(subject, record(field("id", "long"))).status == 200
    weir = start_weir({"schema_registries": [watched(registry, "anew-", interval="2s")]})

    def info(name):
        return weir.sample("schema_registry_subject_info", subject=subject, record=name)
    until("its first version is known", lambda: info("shop.Order") == 1)
    assert registry.delete(subject, for_good=True).status == 200
    assert registry.register(subject, record(field("name"), name="Person")).status == 200
    until("Weir sees another schema under the same version", lambda: info("shop.Person") == 1)
    assert info("shop.Order") is None
    assert weir.sample("schema_registry_subject_latest_version", subject=subject) == 1


def check(*arguments, **options):
    return subprocess.run([binary(), "check", "schemas", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          **options)


@pytest.fixture
def contracts(registry, tmp_path):
    """Subjects with the level BACKWARD, and a folder of files that may follow them."""
    registry.register("ci-order-value", record(field("id", "long")))
    registry.register("ci-proto-value", MONEY, "PROTOBUF")
    registry.register("ci-json-value", {"type": "object", "properties": {"id": {"type": "integer"}}}, "JSON")
    for subject in ("ci-order-value", "ci-proto-value", "ci-json-value"):
        registry.set_compatibility(subject, "BACKWARD")
    (tmp_path / "ci-order.avsc").write_text(json.dumps(record(field("id", "long"), field("note", default=""))))
    (tmp_path / "ci-proto.proto").write_text(MONEY.replace("cents = 1;", "cents = 1; string currency = 2;"))
    (tmp_path / "ci-json.json").write_text(json.dumps({"type": "object", "properties": {"id": {"type": "number"}}}))
    return tmp_path


def test_files_that_may_follow_pass_in_ci(registry, contracts):
    done = check(*sorted(contracts.iterdir()), "--url", registry.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_file_that_breaks_its_readers_fails_and_says_what_to_do(registry, contracts):
    (contracts / "ci-order.avsc").write_text(json.dumps(record(field("id", "long"), field("note"))))
    done = check(contracts / "*.avsc", "--url", registry.url, "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    message = done.stdout
    assert "incompatible with version 1 of ci-order-value under BACKWARD" in message
    assert "added field note (string) without a default" in message
    assert "What to do: note: give it a default" in message
    junit = check(contracts / "ci-order.avsc", "--url", registry.url, "--format", "junit")
    assert junit.returncode == 1
    assert [case.find("failure") is not None for case in xml.fromstring(junit.stdout).iter("testcase")] == [True]


def test_subjects_by_configuration_and_mistakes(registry, contracts):
    section = {"name": "main", "url": registry.url, "contracts": ["*.avsc", {"files": "*.proto", "subject": "ci-{stem}"}]}
    (contracts / "ci-proto.proto").rename(contracts / "proto-value.proto")
    (contracts / "weir.yml").write_text(json.dumps({"schema_registries": [section]}))
    done = check("--config", contracts / "weir.yml")
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr
    assert check("--config", contracts / "weir.yml", "--registry", "mian").stderr.count('did you mean "main"') == 1
    (contracts / "new.avsc").write_text(json.dumps(record()))
    done = check(contracts / "new.avsc", "--url", registry.url)
    assert done.returncode == 0 and "no subject new-value yet" in done.stdout
    assert check(contracts / "new.avsc", "--url", registry.url, "--fail-on", "warn").returncode == 1
    (contracts / "new.avsc").write_text("{")
    done = check(contracts / "new.avsc", "--url", registry.url, "--naming", "record_name")
    assert done.returncode == 2 and "not JSON" in done.stdout
    assert check(contracts / "new.avsc", "--url", registry.url).returncode == 2, "without a subject to compare with"
    (contracts / "ci-order.avsc").write_text("{")
    done = check(contracts / "ci-order.avsc", "--url", registry.url)
    assert done.returncode == 2 and "not JSON" in done.stdout, "nor with one"
    (contracts / "ci-order.txt").write_text(json.dumps(record(field("id", "long"))))
    done = check(contracts / "ci-order.txt", "--url", registry.url)
    assert done.returncode == 2 and "extension tells no format" in done.stdout
    done = check(contracts / "absent.avsc", "--url", registry.url)
    assert done.returncode == 2 and "No such file" in done.stdout
    (contracts / "ci-order.avsc").write_text(json.dumps(record(field("id", "long"))))
    done = check(contracts / "ci-order.avsc", "--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 2 and "ERROR" in done.stdout


def wire(schema_id, data=b"x"):
    return struct.pack(">bI", 0, schema_id) + data


def test_messages_and_tables_are_compared_with_the_registry(kafka, registry, postgres, rules, webhook, start_weir,
                                                             tmp_path):
    own = registry.register("drift-value", record(field("id", "long"), field("note"))).json()["id"]
    other = registry.register("elsewhere-value", record(field("x", "long"), name="Elsewhere")).json()["id"]
    kafka_clients.create_topic(kafka, "drift", partitions=2)
    kafka_clients.produce(kafka, "drift", 4, wire(own))
    warehouse = shop.Warehouse(postgres, "drift_shop", tmp_path)
    warehouse.execute("CREATE TABLE drifted (id bigint, loaded_at timestamptz); GRANT SELECT ON drifted TO PUBLIC")
    drift = {"interval": "1s", "topics": ["^drift$"], "tables": [
        {"subject": "drift-value", "source": "warehouse", "table": "drifted", "ignore": ["loaded_at"]}]}
    weir = start_weir({"kafka": [shop.kafka_section(kafka)], "sources": [warehouse.source()],
                       "schema_registries": [watched(registry, "drift", cluster="shop", drift=drift)],
                       "rules": rules, **shop.notify_section(webhook)})

    def sampled(result):
        return weir.sample("schema_registry_topic_sampled_messages", topic="drift", result=result)
    until("good messages are seen", lambda: sampled("ok") == 4)
    until("the table lacks a column", lambda: weir.sample("schema_registry_table_differences", dataset="drifted") == 1)
    kafka_clients.produce(kafka, "drift", 3, b'{"id": 1}')
    until("messages without an id are seen", lambda: sampled("not_wire_format") == 3)
    kafka_clients.produce(kafka, "drift", 2, wire(2_000_000_000))
    until("so are those with an id that nobody knows", lambda: sampled("unknown_id") == 2)
    kafka_clients.produce(kafka, "drift", 1, wire(other))
    until("and those of another subject", lambda: sampled("wrong_subject") == 1)
    until("an incident says so", lambda: any("elsewhere-value" in entry["text"] for incident in weir.incidents()
                                             for entry in incident["timeline"]))
    warehouse.execute("ALTER TABLE drifted ADD COLUMN note text")
    until("the table fits", lambda: weir.sample("schema_registry_table_differences", dataset="drifted") == 0)
    assert weir.collector("schema_drift/shop")["success"]


class TlsProxy:
    """Forwards to a server that speaks no TLS, for clients whose certificate `authority` has signed."""

    def __init__(self, target, certificate, authority):
        host, port = target.split("/")[2].split(":")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                inner = http.client.HTTPConnection(host, int(port), timeout=10)
                inner.request(self.command, self.path, body or None, {
                    name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers})
                answer = inner.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED

        class QuietServer(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                connection, address = self.socket.accept()
                # The handshake belongs to the handler's thread: one client that fails must not stop the others.
                return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, *_):
                pass

        self.port = free_port()
        self.server = QuietServer(("127.0.0.1", self.port), Handler)
        self.url = f"https://127.0.0.1:{self.port}{target[target.index('/apis'):]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_client_certificates_that_are_renewed_and_ones_that_are_refused(registry, start_weir, tmp_path):
    registry.register("tls-value", record(field("a")))
    authority = Authority(tmp_path)
    stranger = Authority(tmp_path, "stranger")
    server = authority.issue("server")
    good, bad = authority.issue("good"), stranger.issue("bad")
    certificate, key, trusted = tmp_path / "client.pem", tmp_path / "client.key", tmp_path / "trusted.pem"

    def install(pem):
        for target, source in ((certificate, pem), (key, pem.with_suffix(".key"))):
            new = target.with_suffix(".new")
            new.write_text(source.read_text())
            new.replace(target)

    def trust(pem):
        new = trusted.with_suffix(".new")
        new.write_text(pem.read_text())
        new.replace(trusted)
    install(good)
    trust(authority.certificate)
    tls = {"ca_file": str(trusted), "cert_file": str(certificate), "key_file": str(key)}
    with TlsProxy(registry.url, server, authority.certificate) as proxy:
        weir = start_weir({"schema_registries": [shop.registry_section(
            proxy.url, subjects={"allow": ["^tls-"]}, tls=tls)]})

        def collector():
            return weir.collector("schema_registry/shop")
        until("Weir reads the registry", lambda: collector()["success"] and weir.sample(
            "schema_registry_subject_versions", subject="tls-value") == 1)
        install(bad)
        until("a certificate that the server does not know is refused", lambda: not collector()["success"])
        assert "client certificate of cert_file" in collector()["error"], collector()["error"]
        assert weir.sample("schema_registry_subject_versions", subject="tls-value") == 1, "its state is kept"
        install(good)
        until("the renewed one works without a restart", lambda: collector()["success"])
        trust(stranger.certificate)
        until("the server is no longer trusted", lambda: not collector()["success"])
        assert "TLS certificate is not trusted" in collector()["error"]
        trust(authority.certificate)
        until("it is again", lambda: collector()["success"])
        key.write_text("no key")
        until("a broken key is named", lambda: not collector()["success"])
        assert "client certificate cannot be used" in collector()["error"], collector()["error"]


def test_a_server_certificate_that_has_expired_is_named(registry, start_weir, tmp_path):
    authority = Authority(tmp_path)
    client = authority.issue("client")
    tls = {"ca_file": str(authority.certificate), "cert_file": str(client), "key_file": str(client.with_suffix(".key"))}
    with TlsProxy(registry.url, authority.issue("old", days=-1), authority.certificate) as proxy:
        weir = start_weir({"schema_registries": [shop.registry_section(proxy.url, tls=tls)]})
        until("Weir says why", lambda: "certificate has expired" in (
            weir.collector("schema_registry/shop")["error"] or ""))


class Guarded(HttpServer):
    """Forwards what carries this Authorization, as a proxy before a registry does."""

    def __init__(self, target, authorization):
        self.target = target
        self.authorization = authorization
        super().__init__()

    def handle(self, method, path, headers, body):
        if headers["Authorization"] != self.authorization:
            return Answer(401, b'{"error_code": 401, "message": "Unauthorized"}')
        kept = {name: headers[name] for name in ("Content-Type", "Accept") if name in headers}
        return request(self.target + path, body or None, method, kept)


@pytest.mark.parametrize("authorization, login", [
    ("Basic d2VpcjpwYXNzd29yZC0x", {"basic_auth": {"username": "weir", "password": "password-1"}}),
    ("Bearer token-1", {"bearer_token": "token-1"})])
def test_logins(registry, start_weir, authorization, login):
    registry.register("login-value", record(field("a")))
    with Guarded(registry.url, authorization) as proxy:
        weir = start_weir({"schema_registries": [
            shop.registry_section(proxy.url, subjects={"allow": ["^login-"]}, **login),
            shop.registry_section(proxy.url, name="nobody")]})
        until("Weir is let in", lambda: weir.sample("schema_registry_subject_versions", subject="login-value") == 1)
        until("nobody else is", lambda: "refuses access" in (weir.collector("schema_registry/nobody")["error"] or ""))
        assert "password-1" not in weir.log() and "token-1" not in weir.log()


class Loop(HttpServer):
    """A registry whose schemas refer to themselves, whose lists are endless or huge."""

    def __init__(self):
        self.body = None
        super().__init__()

    def handle(self, _method, path, _headers, _body):
        if self.body is not None:
            return Answer(200, self.body)
        if path.startswith("/subjects/") and path.endswith("/versions/1"):
            name = path.split("/")[2]
            return Answer(200, json.dumps({"schema": json.dumps(record(name=name)), "references": [
                {"name": "x", "subject": name, "version": 1}]}).encode())
        return Answer(200, {"/subjects": b'["a", "b"]', "/config": b'{"compatibilityLevel": "BACKWARD"}'}.get(
            path.split("?")[0], b"[1]" if "/versions" in path else b'{"compatibilityLevel": "BACKWARD"}'))


def test_loops_and_huge_answers_turn_that_collector_red_alone(registry, start_weir):
    with Loop() as server:
        registry.register("calm-value", record(field("a")))
        weir = start_weir({"schema_registries": [shop.registry_section(server.url, name="odd"),
                                                 watched(registry, "calm-")]})
        until("the loop is named", lambda: weir.sample(
            "schema_registry_subject_finding", registry="odd", subject="a", finding="reference_broken") == 1)
        for body, words in ((b"[" + b'"x",' * 30_000_000 + b'"x"]', "larger than"), (b'["a', "incomplete"),
                            (b"<html>", "web page")):
            server.body = body
            until(f"the answer is {words}", lambda words=words: words in (
                weir.collector("schema_registry/odd")["error"] or ""))
            assert weir.collector("schema_registry/shop")["success"]
        server.body = None
        until("it is well again", lambda: weir.collector("schema_registry/odd")["success"])
