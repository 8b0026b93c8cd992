"""Storage that is not there when Weir starts, that another Weir has, and that comes back as another one."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from support import loads
from support.http import request
from support.loads import kept_transitions, kill_server, start_server, told, told_by_key, unwritten
from support.postgres import Postgres
from support.wait import until
from support.weir import Weir, binary


@pytest.fixture
def server():
    """One of each test's own: some leave nothing of it."""
    with Postgres() as postgres:
        yield postgres


@pytest.fixture
def config(page, webhook, server, tmp_path):
    (tmp_path / "password").write_text(server.password)
    return {**loads.configuration(tmp_path, page, webhook),
            "storage": {"url": server.address_of("postgres"), "password_file": str(tmp_path / "password"),
                        "connect_timeout": "2s", "statement_timeout": "3s"}}


def history(server, host):
    return [to for of, to in kept_transitions(server, "postgres") if of == host]


def incidents_of(server):
    """{host: ids} of the incidents about Load."""
    found = {}
    for ident, labels, title in server.execute("SELECT id, labels, title FROM weir.incidents"):
        if "Load" in title:
            found.setdefault(dict(json.loads(labels)).get("host", title), set()).add(ident)
    return found


def state(weir):
    return [name for name in ("open", "away", "standby", "mending") if weir.sample("weir_storage_state", state=name) == 1]


def keys(webhook):
    return [headers.get("Idempotency-Key") for _, headers, _ in webhook.requests]


def test_a_server_that_is_away_at_the_start_is_joined_later(config, server, page, webhook, start_weir):
    """Of five hosts each has its way through the outage; none is told twice, and nothing of it is missing."""
    page.loads = {"stays": 1, "ends": 1}
    weir = start_weir(config)
    until("what fires is told", lambda: told(webhook, "firing") == {"stays": 1, "ends": 1})
    weir.stop()
    before = incidents_of(server)
    kill_server(server)
    page.loads = {"stays": 1, "ends": 1, "begins": 1, "comes": 1}
    weir.start()
    assert state(weir) == ["away"]
    until("it judges all the same", lambda: len(weir.alerts("Load")) == 4)
    until("the page says so", lambda: weir.overview()["storage"]["state"] == "away")
    page.loads = {"stays": 1, "ends": 0, "begins": 1, "comes": 0}
    until("some end meanwhile", lambda: len(weir.alerts("Load")) == 2)
    until("people hear of the storage", lambda: webhook.alerts("WeirStorageFailing", "firing"))
    assert told(webhook, "firing") == {"stays": 1, "ends": 1}, "what is not stored is not sent"
    assert "storage cannot be opened" in weir.log()
    start_server(server)
    until("storage is open", lambda: state(weir) == ["open"], 60)
    until("what began is told", lambda: told(webhook, "firing") == {"stays": 1, "ends": 1, "begins": 1, "comes": 1}, 30)
    until("what ended is told", lambda: told(webhook, "resolved") == {"ends": 1, "comes": 1})
    assert len(weir.alerts("Load")) == 2 and weir.overview()["storage"] is None
    page.loads = {host: 0 for host in page.loads}
    until("every end is told", lambda: told(webhook, "resolved") == {"stays": 1, "ends": 1, "begins": 1, "comes": 1})
    assert told(webhook, "firing") == {"stays": 1, "ends": 1, "begins": 1, "comes": 1}
    for host in page.loads:
        assert history(server, host) == ["firing", "inactive"], host
    assert len(webhook.alerts("WeirStorageFailing", "firing")) == 1
    assert len(keys(webhook)) == len(set(keys(webhook)))
    after = incidents_of(server)
    assert {host: ids for host, ids in after.items() if host in before} == before, "the same incidents went on"


def test_a_second_weir_stands_by_and_takes_over(config, server, page, webhook, start_weir):
    page.loads = {"a": 1, "b": 1}
    first = start_weir(config)
    until("they are told", lambda: told_by_key(webhook, "firing") == {"a": 1, "b": 1})
    second = start_standby(config, start_weir)
    waiting = request(f"{second.url}/-/ready")
    assert waiting.status == 503 and "Weir stands by: " in waiting.text and f"process {first.pid}" in waiting.text
    assert second.overview()["alerts"] == [] and state(second) == ["standby"]
    refused = command_line(second, "list")
    assert refused.returncode == 1 and "this Weir stands by" in refused.stderr and "another one leads" in refused.stderr
    assert f"process {first.pid}" in refused.stderr and "end that one" not in refused.stderr
    first.kill()
    page.loads = {"a": 1, "b": 0, "c": 1}
    until("the second has it", lambda: state(second) == ["open"], 30)
    until("what changed is told", lambda: told_by_key(webhook, "resolved") == {"b": 1} and "c" in told_by_key(webhook, "firing"), 30)
    assert second.ready()
    assert told_by_key(webhook, "firing") == {"a": 1, "b": 1, "c": 1}
    assert history(server, "a") == ["firing"] and history(server, "b") == ["firing", "inactive"]
    assert len(keys(webhook)) - len(set(keys(webhook))) <= 1, "at most one again, under its key"


def test_incidents_are_listed_from_memory_while_the_history_is_away(config, server, page, webhook, start_weir):
    page.loads = {"before": 1}
    weir = start_weir(config)
    until("it is told", lambda: told(webhook, "firing") == {"before": 1})
    before = listed(weir)["incidents"][0]["id"]
    assert listed(weir)["history_away"] is None
    kill_server(server)
    page.loads = {"before": 1, "meanwhile": 1}
    until("what comes is listed", lambda: any("meanwhile" in entry["text"] for incident in listed(weir, "state=open&q=load")["incidents"]
                                               for entry in incident["timeline"]), 60)
    assert str(server.port) in listed(weir)["history_away"]
    assert request(f"{weir.url}/api/v1/incidents/{before}").json()["open"]
    unknown = request(f"{weir.url}/api/v1/incidents/0123456789abcdef")
    assert unknown.status == 503 and "history of incidents is away" in unknown.text
    shown = command_line(weir, "list")
    assert shown.returncode == 0 and before in shown.stdout and "history is away" in shown.stderr, shown
    until("people hear why", lambda: webhook.alerts("WeirStorageFailing", "firing"))
    causes = [payload["cause"] for payload in webhook.payloads("firing")
              if payload["commonLabels"].get("alertname") == "WeirStorageFailing"]
    says = lambda cause: cause.startswith("Weir's own storage does not take what happens: ") and str(server.port) in cause
    assert causes and all(map(says, causes)), causes
    start_server(server)
    until("the history is there again", lambda: listed(weir)["history_away"] is None, 60)


def listed(weir, search=""):
    return weir.get(f"/api/v1/incidents?{search}").json()


def command_line(weir, *arguments):
    return subprocess.run([binary(), "incidents", *arguments, "--url", weir.url], capture_output=True, text=True, timeout=60)


def test_a_second_weir_in_the_same_folder_ends_and_says_who_keeps_its_series_there(config, page, webhook, start_weir):
    first = start_weir(config)
    other = first.folder / "other.yml"
    other.write_text(json.dumps({**config, "listen": "127.0.0.1:0"}))
    ended = subprocess.run([binary(), "run", "--config", other], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "weir.db.series: is in use by another Weir, process " + str(first.pid) in ended.stderr, ended.stderr
    assert "give each a folder of its own" in ended.stderr
    first.kill()
    first.start()


def start_standby(config, start_weir):
    weir = start_weir(config, ready=False)
    weir.until_answers()
    until("it stands by", lambda: state(weir) == ["standby"], 30)
    return weir


def test_one_that_lost_its_storage_to_another_stands_by_itself(config, server, page, webhook, start_weir):
    page.loads = {"a": 1}
    first = start_weir(config)
    until("a is told", lambda: told_by_key(webhook, "firing") == {"a": 1})
    second = start_standby(config, start_weir)
    os.kill(first.pid, signal.SIGSTOP)  # as a machine that is frozen for a while
    server.execute("SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted")
    until("the second has it", lambda: state(second) == ["open"], 30)
    os.kill(first.pid, signal.SIGCONT)
    until("the first sees that", lambda: state(first) == ["standby"], 30)
    page.loads = {"a": 0, "b": 1}
    until("what changed is told", lambda: told_by_key(webhook, "resolved") == {"a": 1} and "b" in told_by_key(webhook, "firing"), 30)
    second.kill()
    until("the first has it again", lambda: state(first) == ["open"], 30)
    page.loads = {"a": 0, "b": 0}
    until("the end is told", lambda: told_by_key(webhook, "resolved") == {"a": 1, "b": 1}, 30)
    assert told_by_key(webhook, "firing") == {"a": 1, "b": 1}
    assert history(server, "a") == ["firing", "inactive"] == history(server, "b")


def replace_data(server, folder):
    shutil.rmtree(server.folder / "data")
    shutil.copytree(folder, server.folder / "data", symlinks=True)
    for path in [server.folder / "data", *(server.folder / "data").rglob("*")]:
        shutil.chown(path, server.user, server.user) if os.geteuid() == 0 else None


def test_a_failover_to_an_empty_server_loses_nothing_that_goes_on(config, server, page, webhook, start_weir, tmp_path):
    """What goes on is known, and written anew; the history of what was over is gone with the server."""
    kill_server(server)
    shutil.copytree(server.folder / "data", tmp_path / "empty", symlinks=True)
    start_server(server)
    page.loads = {"a": 1, "b": 1}
    weir = start_weir(config)
    until("they are told", lambda: told(webhook, "firing") == {"a": 1, "b": 1})
    silence = silence_everything_of(weir, "nobody")
    before = incidents_of(server)
    kill_server(server)
    page.loads = {"a": 1, "b": 0, "c": 1}
    until("Weir says that it waits", lambda: unwritten(weir) > 0, 60)
    replace_data(server, tmp_path / "empty")
    start_server(server)
    until("all is written", lambda: state(weir) == ["open"] and unwritten(weir) == 0, 60)
    until("what changed is told", lambda: told(webhook, "resolved") == {"b": 1} and "c" in told(webhook, "firing"), 30)
    assert told(webhook, "firing") == {"a": 1, "b": 1, "c": 1}
    assert before.items() <= incidents_of(server).items()
    until("it is counted", lambda: weir.sample("weir_storage_rewritten_total") == 1)
    weir.stop()
    weir.start()
    page.loads = {"a": 0, "b": 0, "c": 0}
    until("after a restart too", lambda: told(webhook, "resolved") == {"a": 1, "b": 1, "c": 1}, 30)
    assert told(webhook, "firing") == {"a": 1, "b": 1, "c": 1}
    assert silence in json.dumps(weir.get("/api/v2/silences").json())


def silence_everything_of(weir, host):
    body = {"matchers": [{"name": "host", "value": host, "isRegex": False, "isEqual": True}], "createdBy": "test",
            "comment": "kept", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2126-01-01T00:00:00Z"}
    answer = request(f"{weir.url}/api/v2/silences", method="POST", body=json.dumps(body).encode(),
                     headers={"Content-Type": "application/json"})
    assert answer.status == 200, answer.text
    return answer.json()["silenceID"]


def test_a_server_that_lags_behind_gets_what_it_lacks(config, server, page, webhook, start_weir, tmp_path):
    """As after a failover to a copy that had not everything yet."""
    page.loads = {"a": 1}
    weir = start_weir(config)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1})
    kill_server(server)
    shutil.copytree(server.folder / "data", tmp_path / "older", symlinks=True)
    start_server(server)
    page.loads = {"a": 0, "b": 1}
    until("what changed is told", lambda: told(webhook, "resolved") == {"a": 1} and "b" in told(webhook, "firing"), 60)
    kill_server(server)
    replace_data(server, tmp_path / "older")
    start_server(server)
    page.loads = {"a": 0, "b": 1, "c": 1}
    until("c is told", lambda: "c" in told(webhook, "firing"), 60)
    weir.stop()
    weir.start()
    page.loads = {"a": 0, "b": 0, "c": 0}
    until("all ends are told", lambda: told(webhook, "resolved").keys() == {"a", "b", "c"}, 30)
    assert told(webhook, "resolved") == {"a": 1, "b": 1, "c": 1}
    assert told(webhook, "firing") == {"a": 1, "b": 1, "c": 1}


def test_a_server_that_takes_no_writes_for_a_while(config, server, page, webhook, start_weir):
    weir = start_weir(config)
    server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    server.execute("SELECT pg_reload_conf()")
    page.loads = {"a": 1}
    until("Weir says why", lambda: "the server takes no writes" in weir.log(), 60)
    until("people hear of it", lambda: webhook.alerts("WeirStorageFailing", "firing"))
    assert not told(webhook, "firing")
    page.loads = {"a": 0}
    until("a ends meanwhile", lambda: not weir.alerts("Load"))
    server.execute("ALTER SYSTEM RESET default_transaction_read_only")
    server.execute("SELECT pg_reload_conf()")
    until("all is told", lambda: told(webhook, "resolved") == {"a": 1}, 60)
    assert told(webhook, "firing") == {"a": 1} and history(server, "a") == ["firing", "inactive"]
