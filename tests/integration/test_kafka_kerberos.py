"""GSSAPI: a real broker that lets in who has a ticket of a real KDC."""

import pytest

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.kerberos import REALM, Kdc
from support.wait import until


@pytest.fixture(scope="module")
def kdc():
    with Kdc() as running:
        yield running


@pytest.fixture(scope="module", params=["3.9.1", "4.1.0"])
def kafka(request, kdc):
    keytab = kdc.keytab("kafka/127.0.0.1")
    login = (f'com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="{keytab}" '
             f'principal="kafka/127.0.0.1@{REALM}";')
    properties = {"sasl.enabled.mechanisms": "GSSAPI", "sasl.kerberos.service.name": "kafka",
                  "listener.name.kerberos.gssapi.sasl.jaas.config": login}
    java = [*Kafka.QUICK, f"-Djava.security.krb5.conf={kdc.config}"]
    with Kafka(request.param, listeners={"KERBEROS": "SASL_PLAINTEXT"}, properties=properties,
               java_options=java) as broker:
        kafka_clients.create_topic(broker, "orders")
        kafka_clients.create_topic(broker, "probe")
        kafka_clients.produce(broker, "orders", 10)
        kafka_clients.commit(broker, "billing", "orders", [4])
        yield broker


def section(kafka, keytab, **more):
    properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI", "sasl.kerberos.service.name": "kafka",
                  "sasl.kerberos.principal": f"weir@{REALM}", "sasl.kerberos.keytab": str(keytab)}
    return shop.kafka_section(kafka, brokers=f"127.0.0.1:{kafka.brokers[0].ports['KERBEROS']}", properties=properties,
                              **more)


@pytest.fixture(autouse=True)
def realm(kdc, monkeypatch):
    for name, text in kdc.client_environment().items():
        monkeypatch.setenv(name, text)
    kdc.cache.unlink(missing_ok=True)


def test_a_keytab_lets_in(kafka, kdc, start_weir):
    weir = start_weir({"kafka": [section(kafka, kdc.keytab("weir"), offsets="stream",
                                         canary={"topic": "probe", "interval": "500ms"})]})
    until("it works", lambda: weir.collector("kafka/shop")["success"])
    assert weir.sample("kafka_consumergroup_lag", consumergroup="billing", topic="orders") == 6
    until("canaries arrive", lambda: (weir.sample("kafka_canary_received_total", topic="probe") or 0) >= 2, 30)
    until("the stream is live", lambda: weir.sample("kafka_offsets_stream_live") == 1, 30)


def test_without_a_ticket_it_says_what_to_look_at(kafka, kdc, start_weir):
    weir = start_weir({"kafka": [section(kafka, kdc.folder / "no-such.keytab")]})
    error = until("it is told", lambda: weir.collector("kafka/shop")["error"])
    assert "sasl.kerberos" in error
    assert not weir.collector("kafka/shop")["success"]
