"""What breaks around Weir: a clear message, that collector red, the rest goes on, and no alert resolves by itself."""

import json
import re
import subprocess

import pytest

from integration import shop
from support import http, kafka_clients
from support.kafka import Kafka
from support.process import free_port
from support.wait import always, until
from support.weir import binary, validate

LAG = "KafkaConsumerLagHigh"
CHECK_FAILED = "TableCheckFailed"
FRESH = {"dataset": "fct_daily_revenue", "check": "revenue is fresh"}
HTML = {"Content-Type": "text/html"}


def red(weir, collector, pattern):
    """Waits until the collector has failed with a message that matches, on the page, on /metrics and in the log."""
    def seen():
        found = weir.collector(collector)
        return not found["success"] and found["error"] and re.search(pattern, found["error"], re.IGNORECASE) and found
    found = until(f"{collector} is red with {pattern!r}", seen, 30)
    until("/metrics says so", lambda: weir.sample("weir_collector_success", collector=collector) == 0)
    assert re.search(pattern, weir.log(), re.IGNORECASE), weir.log_tail()
    return found["error"]


def green(weir, collector):
    until(f"{collector} succeeds", lambda: weir.collector(collector)["success"], 30)


def goes_on(weir, collector):
    """Waits for another success of a collector that is not concerned."""
    before = weir.collector(collector)["last_success"]
    until(f"{collector} goes on", lambda: weir.collector(collector)["last_success"] > before)
    assert weir.collector(collector)["success"]


def stays(weir, webhook, alert, labels, seconds=4):
    """The alert goes on firing and nobody is told that it resolved."""
    always(f"{alert} keeps firing", lambda: weir.alerts(alert, **labels), seconds)
    assert webhook.alerts(alert, "resolved") == []


@pytest.fixture(scope="module")
def lone_kafka():
    """A broker that tests may hurt."""
    with Kafka("4.1.0") as kafka:
        yield kafka


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_broker_that_goes_away(lone_kafka, kafka, rules, webhook, start_weir, how):
    topic, group = f"trips-{how}", f"dispatch-{how}"
    kafka_clients.create_topic(lone_kafka, topic, 2)
    shop.fall_behind(lone_kafka, group, topic)
    weir = start_weir({"kafka": [shop.kafka_section(lone_kafka, "lone", groups={"allow": [group]}),
                                 shop.kafka_section(kafka, "other")],
                       "rules": rules, **shop.notify_section(webhook)})
    labels = {"consumergroup": group}
    until("the lag alert fires", lambda: weir.alerts(LAG, **labels))
    broker = lone_kafka.brokers[0]
    broker.kill() if how == "killed" else broker.freeze()
    try:
        red(weir, "kafka/lone", r"127\.0\.0\.1:\d+|broker|timed out|no answer")
        goes_on(weir, "kafka/other")
        stays(weir, webhook, LAG, labels)
        assert weir.sample("weir_collector_success", collector="kafka/other") == 1
        failing = until("Weir says that it does not see", lambda: weir.alerts("WeirCollectorFailing"))[0]
        assert "kafka/lone" in failing["summary"]
    finally:
        broker.start() if how == "killed" else broker.thaw()
    green(weir, "kafka/lone")
    with shop.catch_up(lone_kafka, group, topic):
        until("the alert resolves once the lag is gone", lambda: webhook.alerts(LAG, "resolved"))


def test_a_broker_that_was_never_there(kafka, start_weir):
    address = f"127.0.0.1:{free_port()}"
    weir = start_weir({"kafka": [{"name": "nobody", "brokers": address, "interval": "1s", "request_timeout": "2s"},
                                 {"name": "nowhere", "brokers": "no-such-host.invalid:9092", "interval": "1s",
                                  "request_timeout": "2s"},
                                 shop.kafka_section(kafka)]})
    red(weir, "kafka/nobody", re.escape(address))
    red(weir, "kafka/nowhere", "no-such-host.invalid")
    goes_on(weir, "kafka/shop")


def test_a_port_where_no_kafka_listens(kafka, postgres, start_weir):
    login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "u",
             "sasl.password": "hunter2"}
    weir = start_weir({"kafka": [{"name": "database", "brokers": f"127.0.0.1:{postgres.port}", "interval": "1s",
                                  "request_timeout": "2s"},
                                 shop.kafka_section(kafka, "plain", properties=login)]})
    red(weir, "kafka/database", "no Kafka listener, or it wants TLS")
    error = red(weir, "kafka/plain", "this listener offers no SASL")
    assert "hunter2" not in error and "sasl.password" not in error


def test_an_unknown_topic_is_named_and_not_created(kafka, start_weir):
    kafka_clients.create_topic(kafka, "known", 1)
    weir = start_weir({"kafka": [shop.kafka_section(kafka, topics={"names": ["known", "no-such-topic"]})]})
    red(weir, "kafka/shop", "no-such-topic")
    until("the other topic is seen", lambda: weir.sample("kafka_topic_partitions", topic="known") == 1)
    assert "no-such-topic" not in kafka_clients.topics(kafka)


@pytest.fixture
def warehouse(postgres, tmp_path, request):
    name = re.sub(r"\W", "_", request.node.name.removeprefix("test_"))[:60]
    warehouse = shop.Warehouse(postgres, name, tmp_path)
    warehouse.load(100)
    return warehouse


@pytest.fixture
def stale(warehouse, kafka, rules, webhook, start_weir):
    """A Weir whose freshness alert fires."""
    weir = start_weir({"kafka": [shop.kafka_section(kafka)], "sources": [warehouse.source()],
                       "checks": [warehouse.checks()], "rules": rules, **shop.notify_section(webhook)})
    until("the freshness alert fires", lambda: weir.alerts(CHECK_FAILED, **FRESH))
    return weir


def test_a_wrong_password_from_the_start(warehouse, kafka, start_weir):
    wrong = "hunter2-is-wrong"
    weir = start_weir({"kafka": [shop.kafka_section(kafka)], "sources": [warehouse.source(password=wrong)],
                       "checks": [warehouse.checks()]})
    error = red(weir, "checks/warehouse", "password authentication failed|password")
    assert wrong not in error and wrong not in weir.log()
    goes_on(weir, "kafka/shop")


def test_a_password_that_is_changed_meanwhile(stale, warehouse, webhook):
    warehouse.lock_out()
    red(stale, "checks/warehouse", "password")
    goes_on(stale, "kafka/shop")
    stays(stale, webhook, CHECK_FAILED, FRESH)
    warehouse.let_in()
    green(stale, "checks/warehouse")


def test_a_table_that_is_dropped_between_probes(stale, warehouse, webhook):
    until("the other table is seen", lambda: stale.sample("weir_dataset_row_count", dataset="fct_orders") == 100)
    warehouse.execute("DROP TABLE fct_daily_revenue")
    red(stale, "checks/warehouse", "fct_daily_revenue")
    until("its checks could not be evaluated", lambda: stale.sample("weir_check_status", **FRESH) == 3)
    stays(stale, webhook, CHECK_FAILED, FRESH)
    warehouse.execute("INSERT INTO fct_orders VALUES (101, 1, 1)")
    until("the other table is still watched", lambda: stale.sample("weir_dataset_row_count", dataset="fct_orders") == 101)
    goes_on(stale, "kafka/shop")

    warehouse.execute("CREATE TABLE fct_daily_revenue (day int, revenue numeric, loaded_at timestamptz)")
    with shop.Loader(warehouse):
        until("resolved once it is fresh again", lambda: [
            alert for alert in webhook.alerts(CHECK_FAILED, "resolved") if FRESH.items() <= alert["labels"].items()])
        green(stale, "checks/warehouse")


@pytest.mark.parametrize("answer, said", [
    (http.Answer(500, b'{"error_code":50001,"message":"Error in the backend data store"}',
                 {"Content-Type": "application/json"}), "500"),
    (http.Answer(502, b"<html><h1>Bad Gateway</h1></html>", HTML), "502"),
    (http.Answer(200, b"<html><h1>Log in</h1></html>", HTML), "web page|html"),
    (http.Answer(200, b'{"subjects": 3}', {"Content-Type": "application/json"}), "list|array|protocol|expected"),
    (http.Answer(401, b"", {}), "401|denied|credentials"),
    (http.Answer(302, b"", {"Location": "http://127.0.0.1:1/login"}), "302|redirect"),
], ids=["500", "502-html", "200-html", "200-other-json", "401", "redirect"])
def test_a_registry_that_answers_nonsense(registry, kafka, rules, webhook, start_weir, tmp_path, request, answer, said):
    subject = f"Trip-{request.node.callspec.id}-value"
    record = {"type": "record", "name": "Trip", "fields": [{"name": "id", "type": "string"}]}
    assert registry.register(subject, record).status == 200
    registry.set_compatibility(subject, "BACKWARD")
    record["fields"].append({"name": "distance", "type": "double"})
    candidate = shop.write_schema(tmp_path / "trip.avsc", record)
    with http.BreakableProxy(registry.url) as proxy:
        weir = start_weir({"kafka": [shop.kafka_section(kafka)],
                           "schema_registries": [shop.registry_section(
                               proxy.url, candidates=[{"subject": subject, "file": candidate}])],
                           "rules": rules, **shop.notify_section(webhook)})
        labels = {"subject": subject}
        until("the schema alert fires", lambda: weir.alerts("SchemaCandidateIncompatible", **labels))
        proxy.broken = answer
        red(weir, "schema_registry/shop", said)
        goes_on(weir, "kafka/shop")
        stays(weir, webhook, "SchemaCandidateIncompatible", labels)
        proxy.broken = None
        green(weir, "schema_registry/shop")
        stays(weir, webhook, "SchemaCandidateIncompatible", labels, 2)


def test_a_receiver_that_refuses_is_told_again_until_it_takes_it(kafka, rules, start_weir):
    kafka_clients.create_topic(kafka, "refused.dlt", 1)
    refusal = http.Answer(503, b"later")
    with http.WebhookReceiver([refusal, refusal]) as receiver:
        weir = start_weir({"kafka": [shop.kafka_section(kafka, topics={"allow": ["^refused"]},
                                                        groups={"allow": ["^none$"]})],
                           "rules": rules, **shop.notify_section(receiver)})
        kafka_clients.produce(kafka, "refused.dlt", 1)
        until("delivered at the third try",
              lambda: weir.sample("weir_notifications_total", outcome="delivered"), 60)
        firing = [payload for payload in receiver.payloads("firing")
                  if payload["alerts"][0]["labels"]["alertname"] == "KafkaDeadLetterMessages"]
        assert len(firing) == 3 and firing[0] == firing[1] == firing[2]
        assert weir.sample("weir_notifications_total", outcome="retried") == 2
        until("the outbox is empty", lambda: weir.sample("weir_outbox_messages") == 0)


BROKEN = """listen: 127.0.0.1:0
kafka:
  - name: shop
    brokers: 127.0.0.1:9092
    intervall: 15s
    properties: {security.protocoll: PLAINTEXT}
sources:
  - {name: warehouse, type: postgress, url: "postgresql://x@127.0.0.1/shop"}
rules: {files: [rules.yml], interval: soon}
"""
RULES = """groups:
  - name: kafka
    rules:
      - alert: KafkaConsumerLagHigh
        expr: kafka_consumergroup_lag_sum >
      - alert: Other
        expr: vector(1)
        tresholds: 3
"""


def test_every_mistake_is_reported_at_once_with_its_place(tmp_path):
    (tmp_path / "weir.yml").write_text(BROKEN)
    (tmp_path / "rules.yml").write_text(RULES)
    done = validate(tmp_path / "weir.yml")
    assert done.returncode == 2
    for place in [r"weir\.yml:5:5: .*intervall.*did you mean \"interval\"",
                  r"weir\.yml:6:18: .*security\.protocoll.*did you mean \"security\.protocol\"",
                  r"weir\.yml:8:29: .*postgress",
                  r"weir\.yml:9:39: .*soon",
                  r"rules\.yml:5:\d+: .*KafkaConsumerLagHigh",
                  r"rules\.yml:8:9: .*Other.*tresholds"]:
        assert re.search(place, done.stderr), f"{place} not in\n{done.stderr}"


@pytest.mark.parametrize("text, place", [
    ("kafka:\n  - name: shop\n   brokers: x\n", r"weir\.yml:\d:\d+: "),
    ("kafka: [\n", r"weir\.yml:\d:\d+: "),
    ("kafka:\n  - {name: a, brokers: 127.0.0.1:1}\nkafka: []\n", r"weir\.yml:3:1: .*kafka"),
    ("\tlisten: x\n", r"weir\.yml:1:\d+: "),
    ("listen: &a [*a]\n", r"weir\.yml:1:\d+: "),
    ("- a\n- b\n", r"weir\.yml:1:1: "),
    ("", r"weir\.yml.*: "),
    ("listen: 0.0.0.0:9877\n", r"weir\.yml:1:9: .*other machines"),
    ("kafka:\n  - {name: a, brokers: 127.0.0.1:1, properties: {sasl.password: \"${NO_SUCH_VARIABLE}\"}}\n",
     r"weir\.yml:2:\d+: .*NO_SUCH_VARIABLE"),
])
@pytest.mark.parametrize("command", ["validate", "run"])
def test_malformed_yaml_names_the_place_and_exits_2(tmp_path, command, text, place):
    (tmp_path / "weir.yml").write_text(text)
    done = subprocess.run([binary(), command, "--config", tmp_path / "weir.yml"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2, done
    assert re.search(place, done.stderr), done.stderr


def test_a_file_that_is_not_there_and_a_wrong_option_exit_2(tmp_path):
    done = validate(tmp_path / "none.yml")
    assert done.returncode == 2 and "none.yml" in done.stderr
    done = subprocess.run([binary(), "run", "--no-such-option"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "no-such-option" in done.stderr


@pytest.mark.parametrize("words, says", [
    (["validte"], 'there is no command "validte" (did you mean "validate"?)'),
    (["check", "rnu", "x.yml"], 'there is no command "rnu" (did you mean "run"?)'),
    (["nothing-like-it"], 'there is no command "nothing-like-it"\n'),
    (["run", "--confg", "x.yml"], 'weir run has no option --confg (did you mean "--config"?)\nRun '),
    (["run", "--confg=x.yml", "--lissten=1"], 'weir run has no option --lissten\n'),
    (["incidents", "--url", "http://127.0.0.1:1", "list"],
     'weir incidents has no option --url: it belongs behind the command, as in weir incidents list --url\nRun '),
    (["--config", "x.yml", "validate"], 'it belongs behind the command, as in weir validate --config\n'),
    (["incidents", "--url", "http://127.0.0.1:1"], 'as in weir incidents list --url\n'),
    (["incidents", "show", "--jsn"], 'weir incidents show has no option --jsn (did you mean "--json"?)\n'),
    (["validate", "a.yml", "b.yml"], 'weir validate takes no "a.yml"\nweir: weir validate takes no "b.yml"\n')])
def test_a_command_or_option_that_is_not_there_is_named(words, says):
    done = subprocess.run([binary(), *words], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and says in done.stderr, done.stderr


def test_a_port_that_is_taken_is_named_and_exits_1(tmp_path):
    with http.WebhookReceiver() as other:
        (tmp_path / "weir.yml").write_text(json.dumps({
            "listen": f"127.0.0.1:{other.port}", "kafka": [{"name": "a", "brokers": "127.0.0.1:1"}]}))
        done = subprocess.run([binary(), "run", "--config", tmp_path / "weir.yml"], capture_output=True, text=True,
                              timeout=20)
    assert done.returncode == 1 and str(other.port) in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["weir.yml"], "nothing is left behind"


def test_what_is_hardly_meant_is_hinted_at(tmp_path):
    (tmp_path / "weir.yml").write_text("kafka: [{name: a, brokers: 127.0.0.1:1}]\n")
    done = validate(tmp_path / "weir.yml")
    assert done.returncode == 0 and "ok (1 Kafka cluster)" in done.stdout
    assert "nobody will be told: no receivers" in done.stderr and "no rules" in done.stderr


@pytest.mark.parametrize("command", ["validate", "run"])
def test_notes_are_given_beside_mistakes(tmp_path, command):
    (tmp_path / "weir.yml").write_text("kafka: [{name: a, brokers: 127.0.0.1:1}]\nlog_level: loud\n")
    done = subprocess.run([binary(), command, "--config", tmp_path / "weir.yml"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "note: " in done.stderr and "no receivers" in done.stderr, done.stderr
    assert '"loud" is not one of' in done.stderr and done.stderr.endswith("1 mistake in the configuration\n"), done.stderr
