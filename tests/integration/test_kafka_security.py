"""A broker with TLS, every login that librdkafka knows but Kerberos, and ACLs; certificates and passwords that change."""

import os
import shutil

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialUpsertion)

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.kafka_oidc import Provider
from support.kafka_cycles import Cycles, series, value
from support.kafka_tls import Authority
from support.wait import always, until

PASSWORD = "a-long-password"
LISTENERS = {"TLS": "SSL", "MTLS": "SSL", "EXPIRED": "SSL", "OTHER": "SSL", "SECURE": "SASL_SSL", "OIDC": "SASL_SSL"}


def listener_properties(folder, provider):
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_weir="{PASSWORD}";'
    stores = {"tls": "broker", "mtls": "broker", "expired": "expired", "other": "other", "secure": "broker",
              "oidc": "broker"}
    return {
        "ssl.keystore.type": "PEM", "ssl.truststore.type": "PEM", "ssl.truststore.location": folder / "authority.pem",
        **{f"listener.name.{listener}.ssl.keystore.location": folder / f"{store}.both"
           for listener, store in stores.items()},
        **{f"listener.name.{listener}.ssl.keystore.type": "PEM" for listener in stores},
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
        "listener.name.secure.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.secure.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.secure.plain.sasl.jaas.config": plain,
        "listener.name.oidc.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.oidc.oauthbearer.sasl.jaas.config":
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
        "listener.name.oidc.oauthbearer.sasl.server.callback.handler.class":
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
        "listener.name.oidc.sasl.oauthbearer.jwks.endpoint.url": f"file://{provider.key_set}",
        "listener.name.oidc.sasl.oauthbearer.expected.audience": "kafka",
        "listener.name.oidc.sasl.oauthbearer.expected.issuer": "weir-test",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # who comes over the plain listener
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder):
    made = Authority(folder)
    made.issue("broker")
    made.issue("expired", days=-1)
    made.issue("other", hosts=["DNS:kafka.example.com"])
    made.issue("weir")
    Authority(folder, "stranger")
    return made


@pytest.fixture(scope="module")
def provider(folder):
    made = Provider(folder, "weir", "client-secret")
    yield made
    made.close()


@pytest.fixture(scope="module", params=["3.9.1", "4.1.0"])
def kafka(request, folder, authority, provider):
    java = [*Kafka.QUICK, f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://{provider.key_set}"]
    with Kafka(request.param, listeners=LISTENERS, properties=listener_properties(folder, provider),
               java_options=java) as broker:
        give_password(broker)
        allow(broker, ResourceType.TOPIC, "*", AclOperation.DESCRIBE, ResourcePatternType.LITERAL)
        allow(broker, ResourceType.GROUP, "open-", AclOperation.DESCRIBE, ResourcePatternType.PREFIXED)
        kafka_clients.create_topic(broker, "orders")
        kafka_clients.produce(broker, "orders", 10)
        for group in ("open-billing", "hidden-audit"):
            kafka_clients.commit(broker, group, "orders", [4])
        # For the canary, and for reading commits as a stream.
        kafka_clients.create_topic(broker, "probe", 2)
        for operation in (AclOperation.READ, AclOperation.WRITE):
            allow(broker, ResourceType.TOPIC, "probe", operation, ResourcePatternType.LITERAL)
        allow(broker, ResourceType.GROUP, "weir-canary", AclOperation.READ, ResourcePatternType.LITERAL)
        allow(broker, ResourceType.TOPIC, "__consumer_offsets", AclOperation.READ, ResourcePatternType.LITERAL)
        yield broker


def give_password(broker):
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    changes = [UserScramCredentialUpsertion("weir", ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
               for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)]
    for change in changes:
        client.alter_user_scram_credentials([change])["weir"].result(30)


def allow(broker, resource, name, operation, pattern):
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    for user in ("User:weir", "User:CN=weir"):
        rule = AclBinding(resource, name, pattern, user, "*", operation, AclPermissionType.ALLOW)
        client.create_acls([rule])[rule].result(30)


def cluster(kafka, folder, name, listener, host="127.0.0.1", groups=None, **properties):
    ports = kafka.brokers[0].ports
    common = {} if "ssl.ca.location" in properties else {"ssl.ca.location": str(folder / "authority.pem")}
    return {"name": name, "brokers": f"{host}:{ports[listener]}", "interval": "1s", "request_timeout": "3s",
            "groups": groups or {},
            "properties": {"security.protocol": LISTENERS[listener], **common, **properties}}


def login(mechanism, **more):
    return {"sasl.mechanism": mechanism, "sasl.username": "weir", "sasl.password": PASSWORD, **more}


def mechanism(kafka):
    """SCRAM with Kafka 4 needs a newer librdkafka than Debian 12 has."""
    return "SCRAM-SHA-512" if kafka.version.startswith("3.") else "PLAIN"


def oidc(provider, secret="client-secret"):
    return {"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": provider.url, "sasl.oauthbearer.client.id": "weir",
            "sasl.oauthbearer.client.secret": secret}


def certificate(folder, name="weir"):
    return {"ssl.certificate.location": str(folder / f"{name}.pem"), "ssl.key.location": str(folder / f"{name}.key")}


def test_every_login_sees_what_it_may(kafka, folder, provider, start_weir):
    clusters = [cluster(kafka, folder, "tls", "TLS"),
                cluster(kafka, folder, "mtls", "MTLS", **certificate(folder)),
                cluster(kafka, folder, "plain", "SECURE", **login("PLAIN")),
                cluster(kafka, folder, "oidc", "OIDC", **oidc(provider))]
    scram = [cluster(kafka, folder, f"scram-{size}", "SECURE", **login(f"SCRAM-SHA-{size}")) for size in (256, 512)]
    weir = start_weir({"kafka": clusters + scram})
    if kafka.version.startswith("3."):
        clusters += scram
    for each in scram:  # with Kafka 4 that is for the librdkafka at hand to decide
        until(f"{each['name']} works or says why not", lambda: (found := weir.collector(f"kafka/{each['name']}"))
              and (found["success"] or "SCRAM needs librdkafka 2.6.1 or later" in (found["error"] or "")))
    for name in [each["name"] for each in clusters]:
        until(f"{name} works", lambda: weir.collector(f"kafka/{name}")["success"])
        found = weir.metrics()
        assert value(found, "kafka_topic_partition_current_offset", cluster=name, topic="orders") == 10
        groups = {labels["consumergroup"]: lag for labels, lag in series(found, "kafka_consumergroup_lag", cluster=name)}
        hidden = {} if name != "tls" else {"hidden-audit": 6}  # over TLS alone everyone is ANONYMOUS, who may do all
        assert groups == {"open-billing": 6, **hidden}


def test_a_hidden_group_that_is_asked_for_is_named(kafka, folder, start_weir):
    groups = {"names": ["hidden-audit", "open-billing"]}
    weir = start_weir({"kafka": [cluster(kafka, folder, "named", "SECURE", groups=groups, **login(mechanism(kafka)))]})
    error = until("an error", lambda: weir.collector("kafka/named")["error"])
    assert 'group "hidden-audit": not allowed; grant this user DESCRIBE on the group' in error
    assert weir.sample("kafka_consumergroup_lag", consumergroup="open-billing") == 6
    assert weir.sample("kafka_consumergroup_lag", consumergroup="hidden-audit") is None


def test_a_right_that_is_taken_away_leaves_the_last_state(kafka, folder, start_weir):
    allow(kafka, ResourceType.GROUP, "lent", AclOperation.DESCRIBE, ResourcePatternType.LITERAL)
    kafka_clients.commit(kafka, "lent", "orders", [3])
    weir = start_weir({"kafka": [cluster(kafka, folder, "shop", "SECURE", **login(mechanism(kafka)))]})
    until("the group", lambda: weir.sample("kafka_consumergroup_lag", consumergroup="lent") == 7)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    rule = AclBindingFilter(ResourceType.GROUP, "lent", ResourcePatternType.LITERAL, None, None, AclOperation.ANY,
                            AclPermissionType.ANY)
    client.delete_acls([rule])[rule].result(30)
    error = until("an error", lambda: weir.collector("kafka/shop")["error"])
    assert 'group "lent": not allowed' in error


REFUSED = {
    "wrong-password": ("the broker refused the login; check sasl.mechanism, sasl.username and sasl.password",
                       lambda kafka, folder: cluster(kafka, folder, "wrong-password", "SECURE",
                                                     **login(mechanism(kafka), **{"sasl.password": "wrong"}))),
    "untrusted": ("not signed by an authority that is trusted; set ssl.ca.location",
                  lambda kafka, folder: cluster(kafka, folder, "untrusted", "TLS",
                                                **{"ssl.ca.location": str(folder / "stranger.pem")})),
    "other-host": ("certificate is for another host; give brokers",
                   lambda kafka, folder: cluster(kafka, folder, "other-host", "OTHER")),
    "expired": ("certificate has expired; renew it", lambda kafka, folder: cluster(kafka, folder, "expired", "EXPIRED")),
    "no-certificate": ("the broker wants a client's certificate; set ssl.certificate.location",
                       lambda kafka, folder: cluster(kafka, folder, "no-certificate", "MTLS")),
    "mechanism": ("the broker does not offer this SASL mechanism; check sasl.mechanism",
                  lambda kafka, folder: cluster(kafka, folder, "mechanism", "SECURE", **{"sasl.mechanism": "OAUTHBEARER",
                                                "enable.sasl.oauthbearer.unsecure.jwt": "true",
                                                "sasl.oauthbearer.config": "principal=weir"})),
}


def test_each_refusal_says_what_to_do(kafka, folder, start_weir):
    weir = start_weir({"kafka": [make(kafka, folder) for _, make in REFUSED.values()]})

    def errors():
        return {found["name"]: found["error"] for found in weir.overview()["collectors"] if found["name"].startswith("kafka/")}

    told = {}
    for name, (words, _) in REFUSED.items():
        told[f"kafka/{name}"] = until(f"{name} is told", lambda: (found := errors()[f"kafka/{name}"]) and words in found
                                      and found, 20)
    assert not any(PASSWORD in error for error in told.values())
    always("each reads the same", lambda: errors() == told, 2)


def test_a_client_that_the_provider_refuses_is_told(kafka, folder, provider, start_weir):
    weir = start_weir({"kafka": [cluster(kafka, folder, "oidc", "OIDC", **oidc(provider, "wrong"))]})
    words = "there is no token to log in with"
    error = until("it is told", lambda: (found := weir.collector("kafka/oidc")["error"]) and words in found and found)
    assert "HTTP 401 (invalid_client); check sasl.oauthbearer.client.id" in error


def replace(path, text):
    """As a secret store does: another file under the same name."""
    path.with_suffix(".next").write_text(text)
    os.replace(path.with_suffix(".next"), path)


def test_a_password_file_is_read_again(kafka, folder, start_weir):
    password = folder / "password"
    password.write_text(PASSWORD)
    settings = {key: text for key, text in login(mechanism(kafka)).items() if key != "sasl.password"}
    weir = start_weir({"kafka": [cluster(kafka, folder, "shop", "SECURE", **settings,
                                         **{"sasl.password_file": str(password)})]})
    cycles = Cycles(weir)
    until("it works", lambda: weir.collector("kafka/shop")["success"])
    replace(password, "not this one")
    error = until("the new one is refused", lambda: weir.collector("kafka/shop")["error"])
    assert "password" in error and "what was there before still is" in error and "refused the login" in error
    assert "not this one" not in error
    kafka_clients.produce(kafka, "orders", 1)
    end = lambda found: value(found, "kafka_topic_partition_current_offset", topic="orders")  # noqa: E731
    before = end(cycles.metrics())
    cycles.within(2, "it still sees", lambda found: end(found) >= before)
    replace(password, PASSWORD + "\n")
    until("it is well again", lambda: weir.collector("kafka/shop")["success"])


def test_a_certificate_is_read_again(kafka, folder, authority, start_weir):
    for kind in ("pem", "key"):
        shutil.copy(folder / f"weir.{kind}", folder / f"renewed.{kind}")
    weir = start_weir({"kafka": [cluster(kafka, folder, "shop", "MTLS", **certificate(folder, "renewed"))]})
    until("it works", lambda: weir.collector("kafka/shop")["success"])
    good = {kind: (folder / f"renewed.{kind}").read_text() for kind in ("pem", "key")}
    replace(folder / "renewed.pem", "no certificate")
    error = until("it is refused", lambda: weir.collector("kafka/shop")["error"])
    assert "renewed.pem" in error and "what was there before still is" in error
    cycles = Cycles(weir)
    found = cycles.next(2)
    assert value(found, "kafka_topic_partition_current_offset", topic="orders") >= 10
    replace(folder / "renewed.pem", good["pem"])
    until("it is well again", lambda: weir.collector("kafka/shop")["success"])


CANARY = {"topic": "probe", "interval": "500ms", "late_after": "5s"}


def received(weir):
    return weir.sample("kafka_canary_received_total", topic="probe") or 0


def live(weir):
    """Whether the stream of offsets is read and serves the group that may be seen."""
    return weir.sample("kafka_offsets_stream_live") == 1 and (weir.sample("kafka_offsets_stream_groups") or 0) >= 1


def test_canary_and_offsets_stream_log_in_with_tokens(kafka, folder, provider, start_weir):
    section = {**cluster(kafka, folder, "shop", "OIDC", **oidc(provider)), "canary": CANARY, "offsets": "stream"}
    weir = start_weir({"kafka": [section]})
    until("canaries arrive", lambda: received(weir) >= 4, 30)
    until("the stream is live", lambda: live(weir), 30)
    commit = next_commit(kafka)
    until("a commit comes by it", lambda: weir.sample("kafka_consumergroup_current_offset",
                                                      consumergroup="open-billing", topic="orders") == commit)
    assert weir.collector("canary/shop")["success"] and weir.collector("kafka/shop")["success"]


def next_commit(kafka):
    """One more than the last of open-billing."""
    client = kafka_clients.admin(kafka)
    request = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions("open-billing")])["open-billing"]
    offset = request.result(10).topic_partitions[0].offset % 9 + 1
    kafka_clients.commit(kafka, "open-billing", "orders", [offset], client)
    return offset


def follows_files(kafka, weir, good, bad, words):
    """`bad()` and `good()` change the files; what is on its way meanwhile arrives."""
    until("canaries arrive", lambda: received(weir) >= 4, 30)
    until("the stream is live", lambda: live(weir), 30)
    bad()
    error = until("the canary's collector says so", lambda: (found := weir.collector("canary/shop")["error"])
                  and "what was there before still is" in found and found, 20)
    assert words in error
    before = received(weir)
    until("canaries arrive still", lambda: received(weir) >= before + 4, 20)
    good()
    until("all is well again", lambda: weir.collector("canary/shop")["success"] and weir.collector("kafka/shop")["success"],
          20)
    before = received(weir)
    until("canaries arrive on", lambda: received(weir) >= before + 4, 20)
    commit = next_commit(kafka)
    until("a commit comes by the stream", lambda: weir.sample(
        "kafka_consumergroup_current_offset", consumergroup="open-billing", topic="orders") == commit and live(weir))
    assert weir.sample("kafka_canary_lost_total", topic="probe") == 0
    assert weir.sample("kafka_canary_produce_failures_total", topic="probe") == 0


def test_canary_and_offsets_stream_read_a_password_file_again(kafka, folder, start_weir):
    password = folder / "password-of-all"
    password.write_text(PASSWORD)
    settings = {key: text for key, text in login(mechanism(kafka)).items() if key != "sasl.password"}
    section = {**cluster(kafka, folder, "shop", "SECURE", **settings, **{"sasl.password_file": str(password)}),
               "canary": CANARY, "offsets": "stream"}
    weir = start_weir({"kafka": [section]})
    follows_files(kafka, weir, lambda: replace(password, PASSWORD + "\n"), lambda: replace(password, "not this one"),
                  "refused the login")


def test_canary_and_offsets_stream_read_a_certificate_again(kafka, folder, authority, start_weir):
    for kind in ("pem", "key"):
        shutil.copy(folder / f"weir.{kind}", folder / f"canary.{kind}")
    good = (folder / "canary.pem").read_text()
    section = {**cluster(kafka, folder, "shop", "MTLS", **certificate(folder, "canary")), "canary": CANARY,
               "offsets": "stream"}
    weir = start_weir({"kafka": [section]})
    follows_files(kafka, weir, lambda: replace(folder / "canary.pem", good),
                  lambda: replace(folder / "canary.pem", "no certificate"), "canary.pem")


def test_canary_and_offsets_stream_read_the_secret_for_tokens_again(kafka, folder, provider, start_weir):
    secret = folder / "client-secret"
    secret.write_text("client-secret")
    settings = {key: text for key, text in oidc(provider).items() if key != "sasl.oauthbearer.client.secret"}
    section = {**cluster(kafka, folder, "shop", "OIDC", **settings,
                         **{"sasl.oauthbearer.client.secret_file": str(secret)}),
               "canary": CANARY, "offsets": "stream"}
    weir = start_weir({"kafka": [section]})
    follows_files(kafka, weir, lambda: replace(secret, "client-secret"), lambda: replace(secret, "wrong"), "HTTP 401")
