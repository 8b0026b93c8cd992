"""Pages of metrics: Weir and a real Prometheus read the same ones with the same relabelling, and have the same series."""

import math

from integration import shop
from support import artifacts, kafka_clients
from support.http import Answer, HttpServer
from support.kafka import Kafka
from support.kafka_tools import JavaConsumer, JavaProducer
from support.node_exporter import Disks, NodeExporter
from support.process import free_port
from support.prometheus import Prometheus, instant_query
from support.wait import until

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

PAGE = r"""
# HELP orders_total Orders, with a \\ and a
# TYPE orders_total counter
orders_total{status="paid",shop="a\"b"} 17
orders_total{status="lost",shop="c\\d"} 0
# TYPE processing_seconds histogram
processing_seconds_bucket{le="0.1",client="p-1"} 4
processing_seconds_bucket{le="0.5",client="p-1"} 9
processing_seconds_bucket{le="+Inf",client="p-1"} 10
processing_seconds_sum{client="p-1"} 3.25e0
processing_seconds_count{client="p-1"} 10
# TYPE odd gauge
odd{kind="inf"} +Inf
odd{kind="minus inf"} -Inf
odd{kind="small"} 1e-310
odd{kind="braces }{"} -0.5
odd{kind="new\nline",other=""} 1
odd{job="of the page",exported_job="older"} 2
go_goroutines 12
kafka_server_ReplicaManager_UnderReplicatedPartitions 3
"""

# Of a value with a line feed "." is any character for Prometheus from 3.0 on, and here; the one at hand may be older.
RELABEL = [
    {"source_labels": ["__name__"], "regex": "go_.*", "action": "drop"},
    {"source_labels": ["client"], "regex": "p-(.+)", "target_label": "consumergroup", "replacement": "group-${1}"},
    {"source_labels": ["status", "shop"], "separator": "/", "regex": "(?P<s>[a-z]+)/(.).*", "target_label": "key",
     "replacement": "$2-$s-$$"},
    {"regex": "clie.*", "action": "labeldrop"},
    {"regex": "exported_(.+)", "replacement": "page_$1", "action": "labelmap"},
    {"source_labels": ["kind"], "target_label": "kind", "action": "uppercase"},
]


class Page(HttpServer):
    def __init__(self, body, content_type):
        self.answer = Answer(200, body.encode(), {"Content-Type": content_type})
        self.asked = 0
        super().__init__()

    def handle(self, _method, _path, _headers, _body):
        self.asked += 1
        return self.answer


def series(url, job):
    """{labels: value} of a job's series, without what tells of the scrape."""
    found = instant_query(url, f'{{job="{job}",__name__!~"scrape_.*|up"}}')
    return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in found}


def scrape(page, **settings):
    return {"name": "app", "url": f"{page.url}/metrics", "interval": "1s", "labels": {"cluster": "prod"}, **settings}


def check_equal(page, start_weir):
    weir = start_weir({"scrape": [scrape(page, metric_relabel_configs=RELABEL)]})
    prometheus = Prometheus([])
    prometheus.config["scrape_configs"] = [{
        "job_name": "app", "static_configs": [{"targets": [f"127.0.0.1:{page.port}"], "labels": {"cluster": "prod"}}],
        "metric_relabel_configs": RELABEL}]
    with prometheus:
        until("Prometheus has read the page", lambda: series(prometheus.url, "app"))
        until("Weir has read the page", lambda: series(weir.url, "app"))
        theirs, ours = series(prometheus.url, "app"), series(weir.url, "app")
        assert ours == theirs
        for name in ("up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"):
            def own(url, name=name):
                return {tuple(sorted(each["metric"].items())): each["value"][1] for each in instant_query(url, name)}
            assert own(weir.url) == own(prometheus.url), name
    return ours


def test_the_text_format_gives_the_series_that_prometheus_has(start_weir):
    with Page(PAGE, TEXT) as page:
        ours = check_equal(page, start_weir)
    assert len(ours) == 14
    assert any(("consumergroup", "group-1") in labels for labels in ours)
    assert math.inf in ours.values()


def test_openmetrics_gives_the_series_that_prometheus_has(start_weir):
    body = ("# TYPE lag gauge\n# UNIT lag_seconds seconds\nlag{client=\"p-2\"} 1.5\n"
            "# TYPE seen counter\nseen_total{kind=\"a\"} 5 # {trace_id=\"x y\"} 1 1700000000.5\nseen_created{kind=\"a\"} 12\n"
            "# EOF\n")
    with Page(body, OPENMETRICS) as page:
        assert len(check_equal(page, start_weir)) == 3


def test_prometheus_itself_is_read_whole(start_weir):
    with Prometheus([]) as prometheus:
        weir = start_weir({"scrape": [{"name": "prometheus", "url": f"{prometheus.url}/metrics", "interval": "1s"}]})
        until("it is read", lambda: weir.sample("up", job="prometheus") == 1)
        assert len(series(weir.url, "prometheus")) > 200
        assert weir.sample("prometheus_build_info", job="prometheus") == 1


def test_a_preset_has_one_name_for_it(start_weir):
    with Page(PAGE, TEXT) as page:
        weir = start_weir({"scrape": [scrape(page, preset="kafka_broker")]})
        until("it is read", lambda: weir.sample("kafka_broker_under_replicated_partitions", cluster="prod") == 3)
        assert len(series(weir.url, "app")) == 1


BROKER_METRICS = {
    "under_replicated_partitions", "under_min_isr_partitions", "offline_replicas", "leaders", "partitions",
    "isr_shrinks_total", "messages_in_total", "bytes_in_total", "bytes_out_total", "failed_produce_requests_total",
    "failed_fetch_requests_total", "request_errors_total", "request_time_milliseconds_p95", "request_time_milliseconds_p99",
    "request_handler_idle_ratio", "log_size_bytes", "offline_log_directories"}
PRODUCER_METRICS = {"request_rate", "record_send_rate", "record_error_rate", "record_retry_rate", "batch_size_avg",
                    "request_latency_avg", "record_queue_time_avg", "record_send_total", "record_error_total"}
CONSUMER_METRICS = {"records_lag_max", "fetch_rate", "fetch_latency_avg", "commit_rate", "commit_latency_avg",
                    "poll_idle_ratio_avg", "time_between_poll_avg", "rebalance_total"}


class Agents:
    """The JMX exporter inside Java programs, each with a port of its own."""

    def __init__(self, folder):
        self._file = folder / "jmx.yml"
        self._file.write_text("rules: [{pattern: '.*'}]")  # every name as the exporter itself makes it
        self.ports = {name: free_port() for name in ("broker", "producer", "consumer")}

    def of(self, name):
        return [f"-javaagent:{artifacts.jmx_agent()}=127.0.0.1:{self.ports[name]}:{self._file}"]

    def scrape(self, name, preset, **more):
        return {"name": name, "url": f"http://127.0.0.1:{self.ports[name]}/metrics", "preset": preset, "interval": "1s",
                **more}


def test_the_presets_know_what_the_real_jmx_exporter_says_of_kafka(start_weir, tmp_path):
    agents = Agents(tmp_path)
    with Kafka("4.1.0", java_options=[*Kafka.QUICK, *agents.of("broker")]) as kafka:
        kafka_clients.create_topic(kafka, "orders", 3)
        with (JavaProducer(kafka, "orders", agents.of("producer")),
              JavaConsumer(kafka, "billing", "orders", agents.of("consumer"))):
            weir = start_weir({"scrape": [agents.scrape("broker", "kafka_broker", labels={"cluster": "shop"}),
                                          agents.scrape("producer", "kafka_client", labels={"cluster": "shop"}),
                                          agents.scrape("consumer", "kafka_client",
                                                        labels={"cluster": "shop", "consumergroup": "billing"})]})

            def all_there():
                found = set(weir.metrics())
                missing = {f"kafka_{kind}_{name}" for kind, names in (
                    ("broker", BROKER_METRICS), ("producer", PRODUCER_METRICS), ("consumer", CONSUMER_METRICS))
                           for name in names} - found
                assert not missing, missing
                return True
            until("every metric", all_there, 60)
            sample = weir.sample
            assert sample("kafka_broker_under_replicated_partitions", cluster="shop") == 0
            assert sample("kafka_controller_active", cluster="shop") == 1
            assert sample("kafka_producer_record_error_rate", cluster="shop") == 0
            until("records arrive", lambda: (sample("kafka_broker_bytes_in_total", topic="orders") or 0) > 0
                  and sample("kafka_broker_request_time_milliseconds_p95", request="Produce") > 0
                  and sum(size for labels, size in weir.metrics()["kafka_broker_log_size_bytes"]
                          if labels["topic"] == "orders") > 0)
            until("records are sent and read", lambda: sample("kafka_producer_record_send_total") > 20
                  and sample("kafka_consumer_commit_rate", consumergroup="billing") > 0)
            assert sample("kafka_producer_batch_size_avg") > 100


def test_a_disk_of_the_real_node_exporter_that_fills_up_is_told_with_what_is_left(start_weir, tmp_path):
    with NodeExporter() as exporter, Disks(exporter, left=None) as disks:
        weir = start_weir({"scrape": [{"name": "nodes", "url": f"{disks.url}/metrics", "preset": "node_exporter",
                                       "interval": "1s", "labels": {"cluster": "prod"}}],
                           "rules": {"files": [shop.quick_rules(tmp_path)], "interval": "1s"}})
        until("a disk is seen", lambda: instant_query(weir.url, 'node_filesystem_size_bytes{job="nodes",cluster="prod"}'))
        assert {each["metric"]["__name__"] for each in instant_query(weir.url, '{job="nodes"}')} <= {
            "up", "node_filesystem_avail_bytes", "node_filesystem_free_bytes", "node_filesystem_size_bytes",
            "node_filesystem_readonly", "node_filesystem_device_error", "node_filesystem_files",
            "node_filesystem_files_free", "scrape_duration_seconds", "scrape_samples_scraped",
            "scrape_samples_post_metric_relabeling", "scrape_series_added",
            "cluster_instance_mountpoint:node_filesystem_avail:ratio"}
        assert "device_error" not in exporter.log_tail()
        disks.left = 0.02
        until("it is told", lambda: weir.alerts("DiskFull", cluster="prod"))
        told = until("the cause", lambda: [row for row in weir.incidents()
                                           if row["open"] and row["reasons"]["hypothesis"] == "disk_near_full"])[0]
        assert " % full: " in told["cause"] and told["reasons"]["origin"]["kind"] == "cluster"
        disks.left = 0.8
        until("it ends", lambda: not weir.alerts("DiskFull"))


def test_a_page_in_trouble_is_red_with_the_line_and_keeps_its_series_and_others_go_on(start_weir):
    with Page("kept 1\n", TEXT) as page, Page("other 1\n", TEXT) as other:
        weir = start_weir({"scrape": [{"name": "app", "urls": [f"{page.url}/metrics", f"{other.url}/metrics"],
                                       "interval": "1s"}]})
        collector = f"scrape/app/127.0.0.1:{page.port}"
        until("both are read", lambda: weir.sample("kept") == 1 and weir.sample("other") == 1)
        for answer, words in (
                (Answer(200, b"kept 1\nhalf", {"Content-Type": TEXT}), "line 2"),
                (Answer(200, b"<html></html>", {"Content-Type": "text/html"}), "text/html"),
                (Answer(200, b"kept 1\n", {"Content-Type": OPENMETRICS}), "cut off"),
                (Answer(200, b"x" * (17 << 20), {"Content-Type": TEXT}), "bytes"),
                (Answer(503, b"no"), "503")):
            page.answer = answer
            until(words, lambda words=words: words in (weir.collector(collector)["error"] or ""))
            assert weir.sample("up", job="app", instance=f"127.0.0.1:{page.port}") == 0
            assert instant_query(weir.url, "kept")[0]["value"][1] == "1"
        asked = other.asked
        until("the other is read still", lambda: other.asked > asked)
        assert weir.collector(f"scrape/app/127.0.0.1:{other.port}")["success"]
        page.answer = Answer(200, b"kept 2\n", {"Content-Type": TEXT})
        until("it is read again", lambda: weir.sample("kept") == 2 and weir.sample("up", instance=f"127.0.0.1:{page.port}") == 1)
