"""Real servers, started once for all integration tests, and what every test needs around a Weir."""

import pytest

from integration import shop
from support import loads, process
from support.http import WebhookReceiver
from support.kafka import Kafka
from support.postgres import Postgres
from support.registry import Apicurio
from support.weir import Weir


def pytest_configure():
    process.handle_signals()


@pytest.fixture(scope="session")
def servers():
    """Kafka, registry and PostgreSQL, started at the same time."""
    kafka, registry, postgres = Kafka("4.1.0"), Apicurio(), Postgres()
    try:
        process.start_all(kafka, registry, postgres)
        yield kafka, registry, postgres
    finally:
        for server in (kafka, registry, postgres):
            server.kill()


@pytest.fixture(scope="session")
def kafka(servers):
    return servers[0]


@pytest.fixture(scope="session")
def registry(servers):
    return servers[1]


@pytest.fixture(scope="session")
def postgres(servers):
    return servers[2]


@pytest.fixture
def webhook():
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def page():
    """Of loads, with an alert for each."""
    with loads.Page() as served:
        yield served


@pytest.fixture
def config(page, webhook, tmp_path):
    """Of a Weir that watches the page and tells the webhook."""
    return loads.configuration(tmp_path, page, webhook)


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """The shipped rules with short `for`s, as a rules section."""
    return {"files": [shop.quick_rules(tmp_path_factory.mktemp("rules"))], "interval": "1s"}


@pytest.fixture
def start_weir(request):
    """Starts Weirs for one test; ends them afterwards and shows their logs when the test failed."""
    started = []

    def start(config, ready=True):
        weir = Weir(config)
        started.append(weir)
        return weir.start() if ready else weir.launch()

    yield start
    for weir in started:
        status = weir.stop()
        if failed(request.node):
            request.node.add_report_section("teardown", "log of weir", weir.log_tail(60))
        assert status in (0, None), f"weir ended with status {status}:\n{weir.log_tail()}"
        assert "unexpected failure" not in weir.log()


def failed(item):
    return any(report.failed for report in getattr(item, "reports", []))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    item.reports = [*getattr(item, "reports", []), report]
    weir = item.funcargs.get("scenario") if report.when == "call" and report.failed else None
    if weir:
        report.sections.append(("log of weir", weir.weir.log_tail(60)))
