// The page in a real headless Chromium, against a running Weir (WEIR_URL), and against a scripted server that fails
// in the ways a network does.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "../../web");
let browser;
let dist;

before(async () => {
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  dist = mkdtempSync(join(tmpdir(), "weir-page-"));
  const built = spawnSync(process.execPath, ["build.mjs", dist], { cwd: web, encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
});
after(async () => {
  await browser?.close();
  if (dist) rmSync(dist, { recursive: true, force: true });
});

async function open(t, url) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  t.after(() => page.close());
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems };
}

/** Polls until `condition` holds; the page's strict content policy forbids Playwright's own waitForFunction. */
async function until(what, condition, timeout = 10_000) {
  const end = Date.now() + timeout;
  while (!(await condition())) {
    assert.ok(Date.now() < end, "not in time: " + what);
    await new Promise((next) => setTimeout(next, 50));
  }
}

const count = async (page, selector) => (await page.$$(selector)).length;

test("a running Weir: an incident appears without reload, and everything watched is listed", { timeout: 240_000 }, async (t) => {
  const url = process.env.WEIR_URL;
  assert.ok(url, "WEIR_URL is not set: run ./tests/run web, which starts a Weir for this test");
  const { page, problems } = await open(t, url);
  let loads = 0;
  page.on("load", () => ++loads);
  await page.waitForSelector("#groups [data-row]");
  const ids = () => page.$$eval("[data-incident]", (rows) => rows.map((row) => row.dataset.incident));
  const known = new Set(await ids());
  await until("a new incident", async () => (await ids()).some((id) => !known.has(id)), 180_000);
  assert.equal(loads, 0, "the page was reloaded");
  const cause = await page.textContent("[data-incident] .cause");
  assert.match(cause, /Likely cause\s*\S+/);
  for (const panel of ["groups", "topics", "dead-letters", "subjects", "tables"]) {
    assert.ok((await page.$$(`#${panel} [data-row]`)).length > 0, `nothing is listed in ${panel}`);
  }
  assert.ok((await page.$$("#alerts [data-alert]")).length > 0, "no active alert is listed");
  assert.ok((await page.$$("#collectors [data-collector]")).length > 0);
  await page.click("[data-incident] .head");
  assert.ok((await page.$$("[data-incident] .timeline li")).length > 0, "the incident has no timeline");
  await page.click("#groups [data-row] button.open");
  await page.waitForSelector("#groups .chart canvas");
  assert.deepEqual(problems, []);
});

test("a running Weir: the lineage graph shows its nodes, and one that is chosen what is around it", { timeout: 60_000 }, async (t) => {
  const { page, problems } = await open(t, process.env.WEIR_URL + "/#lineage");
  await page.waitForSelector('[data-node="topic:shop/orders"]');
  await page.waitForSelector('[data-node="table:warehouse/fct_orders"][data-status]');
  assert.ok((await count(page, ".way")) >= 9, "ways are missing");
  await page.click('[data-node="topic:shop/orders"]');
  await page.waitForSelector("[data-ways=downstream] li");
  assert.match(await page.textContent("[data-details]"), /Pipeline orders, critical, owner shop-team/);
  assert.match(await page.textContent("[data-ways=downstream]"), /fct_daily_revenue/);
  assert.equal(await page.evaluate(() => decodeURIComponent(location.hash)), "#lineage/topic:shop/orders");
  assert.deepEqual(problems, []);
});

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** A Weir of its own, with an incident that lasts as long as `depths` says: {topic: depth of its queue}. */
async function ownWeir(t, depths) {
  assert.ok(process.env.WEIR_BINARY, "WEIR_BINARY is not set: run ./tests/run web");
  const folder = mkdtempSync(join(tmpdir(), "weir-own-"));
  const metrics = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4" });
    response.end(Object.entries(depths).map(([topic, depth]) => `queue_depth{cluster="c",topic="${topic}"} ${depth}\n`).join(""));
  });
  await new Promise((ready) => metrics.listen(0, "127.0.0.1", ready));
  const port = await freePort();
  const rule = { alert: "QueueDeep", expr: "queue_depth > 10", labels: { severity: "warning" }, annotations: { summary: "{{ $labels.topic }}" } };
  writeFileSync(join(folder, "rules.yml"), JSON.stringify({ groups: [{ name: "queues", rules: [rule] }] })); // YAML takes JSON
  writeFileSync(join(folder, "weir.yml"), JSON.stringify({
    listen: `127.0.0.1:${port}`, storage: { path: join(folder, "weir.db") },
    scrape: [{ name: "app", url: `http://127.0.0.1:${metrics.address().port}/metrics`, interval: "1s" }],
    rules: { files: [join(folder, "rules.yml")], interval: "1s" },
    receivers: [{ name: "team", webhook_configs: [{ url: `http://127.0.0.1:${metrics.address().port}/hook` }] }],
    route: { receiver: "team", group_wait: "0s" },
  }));
  const weir = spawn(process.env.WEIR_BINARY, ["run", "--config", join(folder, "weir.yml")], { stdio: "ignore" });
  t.after(async () => {
    const ended = new Promise((done) => weir.on("exit", done));
    weir.kill("SIGTERM");
    await ended;
    metrics.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until("Weir answers", () => fetch(url + "/-/ready").then((answer) => answer.ok, () => false), 60_000);
  return url;
}

test("a running Weir: an incident is acknowledged, silenced and resolved on its page, and what two do at once is kept", { timeout: 240_000 }, async (t) => {
  const url = await ownWeir(t, { orders: 50 });
  let chosen;
  await until("an open incident", async () => (chosen = (await (await fetch(url + "/api/v1/incidents?state=open")).json()).incidents[0]), 60_000);
  const at = () => fetch(`${url}/api/v1/incidents/${chosen.id}`).then((answer) => answer.json());
  const { page, problems } = await open(t, `${url}/#incident/${chosen.id}`);
  const { page: second } = await open(t, `${url}/#incident/${chosen.id}`);
  const place = `[data-incident="${chosen.id}"]`;
  const ask = async (on, deed, name) => {
    await on.waitForSelector(`${place} [data-deed=${deed}]`);
    await on.click(`${place} [data-deed=${deed}]`);
    await on.fill(`${place} form.deed [name=by]`, name);
  };
  const send = (on) => on.click(`${place} form.deed [type=submit]`);
  const gone = (on) => on.waitForSelector(`${place} form.deed`, { state: "detached" });

  await ask(page, "acknowledge", "ann");
  await send(page);
  await gone(page);
  await second.waitForSelector(`${place} [data-kind=acknowledged]`);
  assert.equal((await at()).acknowledged_by, "ann");
  assert.match(await second.textContent(place + " .times"), /Acknowledged by\s*ann/, "the other one sees it without reload");

  await ask(page, "comment", "ann");
  await ask(second, "comment", "ben");
  await page.fill(`${place} form.deed textarea`, "it is the worker");
  await second.fill(`${place} form.deed textarea`, "it is the network");
  await Promise.all([send(page), send(second)]);
  await Promise.all([gone(page), gone(second)]);
  const said = (await at()).timeline.filter((entry) => entry.kind === "commented").map((entry) => entry.text);
  assert.deepEqual(said.sort(), ["ann: it is the worker", "ben: it is the network"]);

  await ask(page, "silence", "ann");
  await page.selectOption(`${place} form.deed [name=duration]`, "30m");
  await send(page);
  await gone(page);
  const silences = await (await fetch(url + "/api/v2/silences")).json();
  assert.deepEqual(silences.map((each) => [each.createdBy, each.status.state]), [["ann", "active"]]);
  assert.ok(silences[0].matchers.some(({ name, value }) => name === "topic" && value === "orders"), "it names the incident's thing");
  await page.waitForSelector(`${place} [data-kind=silenced]`);
  await until("the alert says so", async () => /silenced/.test(await page.textContent("[data-alert=QueueDeep]")));

  await ask(page, "resolve", "ann");
  await send(page);
  await until("it is over", async () => (await at()).open === false);
  await page.waitForSelector(`${place} [data-deed=reopen]`);
  assert.equal(await count(page, `${place} [data-deed=resolve]`), 0);
  assert.deepEqual(problems, []);
});

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves the built page; `answer` decides about the overview, `range` about range queries, `other` gives values for other addresses. push() sends an event to every open stream. */
async function scripted(t, answer, range = () => [], other = () => undefined, posted = null) {
  const streams = new Set();
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : request.url;
    response.setHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    if (request.method === "POST" && posted) return posted(response, request);
    if (path === "/api/weir/v1/overview") return answer(response);
    if (path.startsWith("/api/v1/query_range?")) {
      const values = range(new URLSearchParams(path.slice(path.indexOf("?"))).get("query"));
      return json(response, { status: "success", data: { resultType: "matrix", result: [{ metric: {}, values }] } });
    }
    const value = other(new URL(path, "http://weir"));
    if (value !== undefined) return json(response, value);
    if (path === "/api/weir/v1/stream") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(": connected\n\n");
      streams.add(response);
      response.on("close", () => streams.delete(response));
      return;
    }
    try {
      const bytes = readFileSync(join(dist, path));
      response.writeHead(200, { "Content-Type": types[extname(path)] });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    push: () => streams.forEach((stream) => stream.write("event: update\ndata: {}\n\n")),
  };
}

function overview(change = {}) {
  const list = (name) => change[name] ?? [];
  const totals = {
    firing: 0, pending: 0, open_incidents: list("incidents").length, resolved_incidents: 0, groups: list("groups").length, lag: 0, firing_groups: 0,
    topics: list("topics").length, records_per_second: 0, dead_letter_topics: list("dead_letters").length, dead_letters: 0, firing_dead_letter_topics: 0,
    subjects: list("subjects").length, broken_subjects: 0, tables: list("tables").length, failing_tables: 0,
  };
  return {
    now: Date.now() / 1000, version: "test", uptime_seconds: 60, truncated: false, totals, collectors: [], clusters: [], groups: [], topics: [],
    dead_letters: [], subjects: [], tables: [], alerts: [], incidents: [], ...change,
  };
}

function json(response, value) {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
}

function group(name, lag, change = {}) {
  return {
    cluster: "c", group: name, state: "Stable", members: 1, kind: "classic", status: "OK", lag, lag_seconds: null, lag_seconds_at_least: false,
    catch_up_seconds: null, retention_margin_seconds: null, messages_lost: 0, uncommitted_partitions: 0, alert: null, trend: [], topics: [], ...change,
  };
}

function incident(id, title) {
  return {
    id, title, severity: "critical", open: true, opened_at: Date.now() / 1000 - 5, resolved_at: null, cause: "the consumer is down", labels: {},
    alerts: ["A"], timeline: [{ at: Date.now() / 1000, kind: "opened", text: "A fires" }],
  };
}

test("what the event stream announces is shown within two seconds", async (t) => {
  let state = overview();
  const server = await scripted(t, (response) => json(response, state));
  const { page, problems } = await open(t, server.url);
  await page.waitForSelector("#incidents .empty");
  state = overview({ incidents: [incident("00000000000000aa", "Consumer group billing")] });
  server.push();
  await page.waitForSelector('[data-incident="00000000000000aa"]', { timeout: 2000 });
  assert.deepEqual(problems, []);
});

test("partitions that the lag leaves out stand beside it", async (t) => {
  const topics = [{ topic: "orders", lag: 7, partitions: 6, uncommitted_partitions: 3 }];
  const server = await scripted(t, (response) =>
    json(response, overview({ groups: [{ ...group("billing", 7), uncommitted_partitions: 3, topics }, { ...group("search", 5), uncommitted_partitions: null }] })));
  const { page } = await open(t, server.url);
  await page.waitForSelector("#groups [data-row]");
  assert.match(await page.textContent('[data-row="c/billing"]'), /7\s*\+3 partitions without a commit/);
  assert.doesNotMatch(await page.textContent('[data-row="c/search"]'), /without a commit/);
});

function check(name, change = {}) {
  return {
    check: name, outcome: "pass", value: 1, expected: null, low: null, high: null, score: null, state: null, owner: null, severity: null,
    dimension: null, alert: null, ...change,
  };
}

function table(name, checks, change = {}) {
  return { source: "wh", dataset: name, row_count: 300, freshness_seconds: null, scan_reused: null, alert: null, trend: [], checks, ...change };
}

test("a table opens to its checks, the worst first, and a check to its past with what was expected", async (t) => {
  const odd = check("anomaly detection for row_count", { outcome: "fail", value: 300, expected: 1000, low: 900, high: 1100, score: -21.4, state: "anomalous", owner: "finance" });
  const learning = check('max("odd name") < 5', { state: "learning" });
  const now = Math.floor(Date.now() / 1000);
  const asked = [];
  const server = await scripted(
    t,
    (response) => json(response, overview({ tables: [table("orders", [check("row_count > 0"), learning, odd]), table("quiet", [check("row_count > 0")], { scan_reused: true })] })),
    (query) => {
      asked.push(query);
      return [[now - 60, "1000"], [now, "300"]];
    },
  );
  const { page, problems } = await open(t, server.url);
  await page.waitForSelector("#tables [data-row]");
  assert.match(await page.textContent('[data-row="wh/orders"]'), /1 of 3 not passing.*anomaly detection for row_count/s);
  assert.match(await page.textContent('[data-row="wh/quiet"]'), /unchanged/);
  await page.click('[data-row="wh/orders"] button.open');
  const names = () => page.$$eval("#tables [data-check]", (rows) => rows.map((row) => row.dataset.check));
  assert.equal((await names())[0], "anomaly detection for row_count");
  const first = "#tables [data-check]:first-child";
  assert.match(await page.textContent(first), /anomalous.*owner finance.*expected 900 to 1,100, 21\.4 deviations below the usual/s);
  assert.match(await page.textContent("#tables .checks"), /still learning what is usual/);
  await page.click(first + " button.open");
  await page.waitForSelector(first + " .chart canvas");
  assert.match(await page.textContent(first + " .u-legend"), /expected from/);
  assert.ok(asked.includes('weir_check_expected_low{source="wh",dataset="orders",check="anomaly detection for row_count"}'), asked.join("\n"));
  await page.click('#tables [data-check*="odd name"] button.open');
  await until("the quotes of a name are escaped", () => asked.includes('weir_check_value{source="wh",dataset="orders",check="max(\\"odd name\\") < 5"}'));
  await page.click("#tables input[type=checkbox]");
  await until("only what does not pass is left", async () => (await count(page, "#tables [data-row]")) === 1);
  assert.deepEqual(problems, []);
});

test("a group tells what it does, how long it is behind, and what comes of it", async (t) => {
  const stalled = group("billing", 500, { status: "STALL", kind: "consumer", lag_seconds: 125, lag_seconds_at_least: true, catch_up_seconds: 90, retention_margin_seconds: 7260 });
  const clusters = [{ cluster: "c", brokers: 3, under_replicated: 0, offline: 0, groups_over_cap: 40 }];
  const server = await scripted(t, (response) => json(response, overview({ groups: [stalled, group("search", 0, { status: "IDLE", lag_seconds: 0 })], clusters })));
  const { page, problems } = await open(t, server.url);
  await page.waitForSelector("#groups [data-row]");
  assert.match(await page.textContent('[data-row="c/billing"]'), /billing\s*consumer.*STALL.*≥ 2m 5s/s);
  assert.match(await page.textContent('[data-row="c/search"]'), /IDLE.*0s/s);
  assert.match(await page.textContent("#groups header"), /40 more over groups\.max/);
  await page.click('[data-row="c/billing"] button.open');
  assert.match(await page.textContent("#groups .group-details"), /catches up in 1m 30s; unread messages are deleted in 2h 1m/);
  assert.deepEqual(problems, []);
});

test("a dead-letter topic opens to why its messages are there", async (t) => {
  const row = {
    cluster: "c", topic: "orders.dlt", messages: 40, messages_per_second: 0.1, newest_age_seconds: 5, alert: "firing", trend: [],
    reasons: [{ origin: "orders", exception: "TimeoutException", component: "", messages: 4 }, { origin: "orders", exception: "SerializationException", component: "sink-pg", messages: 36 }],
  };
  const server = await scripted(t, (response) => json(response, overview({ dead_letters: [row, { ...row, topic: "other.dlt", reasons: [] }] })));
  const { page } = await open(t, server.url);
  await page.click('[data-row="c/orders.dlt"] button.open');
  assert.match(await page.textContent("#dead-letters .reasons"), /36\s*SerializationException.*from orders in sink-pg.*4\s*TimeoutException/s);
  await page.click('[data-row="c/other.dlt"] button.open');
  await until("it says that nothing is known", async () => /No reason is known/.test(await page.textContent("#dead-letters")));
});

test("an incident's link opens it", async (t) => {
  const server = await scripted(t, (response) => json(response, overview({ incidents: [incident("00000000000000aa", "One"), incident("00000000000000bb", "Two")] })));
  const { page } = await open(t, server.url + "#incident/00000000000000bb");
  await page.waitForSelector('#linked-incident [data-incident="00000000000000bb"] .timeline');
  assert.equal((await page.$$(".timeline")).length, 1);
  assert.ok(await page.evaluate(() => document.querySelector("#linked-incident .timeline").getBoundingClientRect().top < innerHeight));
  await page.click("#linked-incident .head");
  await page.waitForSelector("#linked-incident", { state: "detached" });
  assert.equal(new URL(page.url()).hash, "");
});

test("while Weir cannot be reached the page says that it shows the past, and recovers by itself", { timeout: 60_000 }, async (t) => {
  let broken = false;
  const server = await scripted(t, (response) => (broken ? response.writeHead(500).end("no") : json(response, overview({ groups: [group("billing", 5)] }))));
  const { page } = await open(t, server.url);
  await page.waitForSelector("#groups [data-row]");
  broken = true;
  server.push();
  await page.waitForSelector(".banner");
  assert.match(await page.textContent(".banner"), /as of \d/);
  assert.match(await page.textContent(".connection"), /Weir answered 500/);
  assert.equal((await page.$$("#groups [data-row]")).length, 1, "what was known is still shown");
  broken = false;
  await until("the banner goes", async () => (await count(page, ".banner")) === 0, 30_000);
});

test("names from outside are text: no markup runs and the page does not grow wider than the window", async (t) => {
  const hostile = '<img src=x onerror="window.hacked=1">' + "\u202e" + "x".repeat(400);
  const server = await scripted(t, (response) =>
    json(response, overview({
      groups: [group(hostile, 1)],
      incidents: [incident("00000000000000aa", hostile)],
      topics: [{ cluster: hostile, topic: hostile, partitions: 1, messages: null, records_per_second: null, under_replicated: null, offline: null, under_min_isr: null, newest_record_age_seconds: null, trend: [] }],
    })));
  const { page, problems } = await open(t, server.url);
  await page.setViewportSize({ width: 420, height: 900 });
  await page.waitForSelector("#groups [data-row]");
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "the page scrolls sideways");
  assert.deepEqual(problems, []);
});

test("the tiles and counts are of all that is there, not of the lists that are cut", async (t) => {
  const totals = { ...overview().totals, groups: 12345, lag: 5e9, pending: 777 };
  const server = await scripted(t, (response) => json(response, overview({ truncated: true, totals, groups: [group(" ", 7)] })));
  const { page } = await open(t, server.url);
  await page.waitForSelector("#groups [data-row]");
  const tiles = await page.textContent(".tiles");
  for (const text of ["12,345 groups", "5G", "777 pending"]) assert.ok(tiles.includes(text), `${text} is not in ${tiles}`);
  assert.equal(await page.textContent("#groups .count"), "12,345");
  assert.ok((await page.textContent("#groups [data-row] .name")).includes('" "'), "a blank name cannot be seen");
});

test("a table of topics is not cut off in a window of 1400 px", async (t) => {
  const topic = { cluster: "c", topic: "x".repeat(60), partitions: 12, messages: 123456789, records_per_second: 1234.5, under_replicated: 1, offline: 0, under_min_isr: 0, newest_record_age_seconds: 5000, trend: [] };
  const letters = { cluster: "c", topic: "y".repeat(60) + ".dlt", messages: 123456789, messages_per_second: 12.25, newest_age_seconds: 5000, reasons: [], alert: "firing", trend: [] };
  const server = await scripted(t, (response) => json(response, overview({ topics: [topic], dead_letters: [letters] })));
  const { page } = await open(t, server.url);
  for (const width of [1400, 1659, 1660, 1900]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForSelector("#topics [data-row]");
    for (const panel of ["topics", "dead-letters"]) {
      const left = await page.$eval(`#${panel} .scroll`, (box) => box.clientWidth - box.scrollWidth);
      assert.ok(left >= 0, `${panel} is cut off at ${width} px by ${-left}`);
    }
  }
});

test("a thousand groups: the first rows at once, the filter finds the last", async (t) => {
  const groups = Array.from({ length: 1000 }, (_, i) => group(`group-${String(i).padStart(4, "0")}`, 1000 - i));
  const server = await scripted(t, (response) => json(response, overview({ groups })));
  const { page } = await open(t, server.url);
  await page.waitForSelector("#groups [data-row]");
  assert.equal((await page.$$("#groups [data-row]")).length, 50);
  await page.fill("#groups input", "group-0999");
  await until("one row is left", async () => (await count(page, "#groups [data-row]")) === 1);
  await page.fill("#groups input", "");
  await page.click("#groups .more");
  await until("all rows are shown", async () => (await count(page, "#groups [data-row]")) === 1000);
});

test("with nothing configured every panel says what to do", async (t) => {
  const server = await scripted(t, (response) => json(response, overview()));
  const { page } = await open(t, server.url);
  await page.waitForSelector("#groups .empty");
  assert.match(await page.textContent("#groups .empty"), /kafka:/);
  assert.match(await page.textContent("#subjects .empty"), /schema_registries:/);
  assert.match(await page.textContent("#tables .empty"), /checks:/);
});

function lineageNode(id, kind, name, change = {}) {
  return { id, kind, place: "p", name, text: `${kind}:p/${name}`, known: true, status: "ok", pending: false, alerts: [], check: null, pipelines: [], ...change };
}

function lineage(change = {}) {
  const nodes = [
    lineageNode(0, "topic", "orders", { status: "critical", alerts: ["Lag"] }), lineageNode(1, "group", "billing", { status: "warning" }),
    lineageNode(2, "table", "<b>facts</b>"), lineageNode(3, "topic", "other", { status: "unknown", known: false }),
  ];
  const edge = (from, to) => ({ from, to, seen_by: ["kafka"], columns: [] });
  return {
    now: 0, nodes, edges: [edge(0, 1), edge(1, 2)], total_nodes: 4, total_edges: 2, truncated: false,
    pipelines: [{ name: "money", owner: "finance", criticality: "high", description: "", freshness_seconds: 60, latency_seconds: null }],
    findings: [{ kind: "unknown_node", pipeline: "money", text: "pipeline money names topic x, which no collector sees", nodes: [] }], ...change,
  };
}

test("the lineage graph: shapes tell health, a click leads around, zoom and pan move it", async (t) => {
  const asked = [];
  const site = await scripted(t, (response) => json(response, overview()), undefined, (url) => {
    if (url.pathname === "/api/lineage") return lineage();
    if (url.pathname !== "/api/lineage/node") return undefined;
    asked.push(Object.fromEntries(url.searchParams));
    const { nodes, edges, pipelines } = lineage();
    return {
      node: nodes[1], upstream: [nodes[0]], downstream: [nodes[2]], nearest_unwell_upstream: nodes[0], pipelines, edges,
      incidents: [{ id: "00aa", title: "Group billing", severity: "warning", open: true, opened_at: 1 }],
      links: [{ title: "DataHub", urn: "urn", url: "https://datahub/dataset/urn" }],
    };
  });
  const { page, problems } = await open(t, site.url + "#lineage");
  await page.waitForSelector("[data-node]");
  const shapes = await page.$$eval("[data-node] .shape", (all) => all.map((each) => each.textContent));
  assert.deepEqual(shapes, ["◆", "▲", "●", "○"]);
  assert.equal(await page.textContent('[data-node="table:p/<b>facts</b>"] .label'), "<b>facts</b>");
  assert.match(await page.textContent("#findings"), /no collector sees/);

  await page.focus('[data-node="group:p/billing"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-details] [data-ways=upstream] li");
  assert.deepEqual(asked[0], { depth: "20", kind: "group", place: "p", name: "billing" });
  const details = await page.textContent("[data-details]");
  assert.match(details, /Nearest that is unwell upstream: ◆ orders/);
  assert.match(details, /Pipeline money, high, owner finance, freshness within 1m/);
  assert.equal(await page.getAttribute("[data-details] a[href*=datahub]", "rel"), "noreferrer");
  assert.equal(await count(page, "[data-node].faded"), 1, "what is not connected steps back");

  const moved = () => page.getAttribute(".drawing svg > g", "transform");
  const before = await moved();
  await page.click('button[aria-label="Nearer"]');
  await until("it is nearer", async () => (await moved()) !== before);
  const near = await moved();
  const frame = await (await page.$(".drawing svg")).boundingBox();
  await page.mouse.move(frame.x + 20, frame.y + frame.height - 20);
  await page.mouse.down();
  await page.mouse.move(frame.x + 80, frame.y + frame.height - 60);
  await page.mouse.up();
  await until("it was dragged", async () => (await moved()) !== near);

  await page.click('[data-details] a[href="#incident/00aa"]');
  await page.waitForSelector("#incidents");
  assert.deepEqual(problems, []);
});

test("a graph that is cut says so, and an empty one what to do", async (t) => {
  let graph = lineage({ truncated: true, total_nodes: 9000 });
  const site = await scripted(t, (response) => json(response, overview()), undefined, (url) => (url.pathname === "/api/lineage" ? graph : undefined));
  const { page } = await open(t, site.url + "#lineage");
  await until("it says how much is drawn", async () => /4 of 9,000 nodes are drawn/.test(await page.textContent("body")));
  graph = lineage({ nodes: [], edges: [], pipelines: [], findings: [], total_nodes: 0 });
  await page.selectOption("#lineage select", "money");
  await until("it says what to do", async () => /Declare pipelines/.test(await page.textContent("body")));
});

test("an incident says what it reaches, and leads to the graph", async (t) => {
  const of = (name) => ({ kind: "table", place: "w", name, text: "table:w/" + name });
  const reaches = {
    node: of("raw"), downstream: [of("mart"), of("report")], more: 3, links: [{ title: "DataHub", urn: "u", url: "https://datahub/x" }],
    pipelines: [{ name: "money", owner: "finance", criticality: "critical", description: "", freshness_seconds: null, latency_seconds: null }],
  };
  const page_ = overview({ incidents: [{ ...incident("00aa", "Table raw"), lineage: reaches }] });
  const site = await scripted(t, (response) => json(response, page_), undefined, (url) => (url.pathname === "/api/lineage" ? lineage() : undefined));
  const { page, problems } = await open(t, site.url + "#incident/00aa");
  await page.waitForSelector("[data-affected]");
  const said = await page.textContent("[data-affected]");
  assert.match(said, /Pipeline money, critical, owner finance/);
  assert.match(said, /Affected downstream: mart, report and 3 more/);
  await page.click("[data-affected] a:first-child");
  await page.waitForSelector("[data-node]");
  assert.deepEqual(problems, []);
});

/** An incident with all that is known of it. */
function known(id, title, change = {}) {
  return {
    ...incident(id, title), began_at: Date.now() / 1000 - 65, time_to_detect_seconds: 60, time_to_acknowledge_seconds: null, time_to_resolve_seconds: null,
    owner: "", acknowledged_by: "", acknowledged_at: null, merged_into: "",
    reasons: {
      hypothesis: "consumer_down", score: 0.9, evidence: ["the group has no members since 3m"],
      origin: { kind: "topic", place: "prod", name: "orders" }, affected: [{ kind: "table", place: "wh", name: "fct_orders" }],
    },
    ...change,
  };
}

/** Answers deeds as `reply` says, and notes them. */
function deeds(state, reply) {
  const asked = [];
  const answer = (response, request) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const [, id, deed] = /incidents\/([^/]+)\/(\w+)$/.exec(request.url);
      asked.push({ id, deed, body: JSON.parse(body) });
      const [status, value] = reply(deed, JSON.parse(body), state);
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(value));
    });
  };
  return { asked, answer };
}

test("an incident is acknowledged and commented on the page; the name is remembered, a refusal is shown", async (t) => {
  let shown = known("00000000000000aa", "Consumer group billing in prod: LagHigh");
  const { asked, answer } = deeds(null, (deed, body) => {
    if (deed === "resolve") return [503, { error: "this was not kept, try again when storage works" }];
    if (deed === "acknowledge") shown = { ...shown, acknowledged_by: body.by, acknowledged_at: Date.now() / 1000, timeline: [...shown.timeline, { at: Date.now() / 1000, kind: "acknowledged", text: "acknowledged by " + body.by }] };
    return [200, shown];
  });
  const server = await scripted(t, (response) => json(response, overview({ incidents: [shown] })), undefined, undefined, answer);
  const { page, problems } = await open(t, server.url + "#incident/00000000000000aa");
  await page.waitForSelector("[data-evidence] li");
  assert.match(await page.textContent("[data-affected]"), /table fct_orders in wh/);
  assert.match(await page.textContent(".times"), /Detected after\s*1m 0s/);
  await page.click("[data-deed=acknowledge]");
  await page.fill("form.deed [name=by]", "ann");
  await page.click("form.deed [type=submit]");
  await until("the form is gone", async () => (await count(page, "form.deed")) === 0);
  server.push();
  await page.waitForSelector("[data-kind=acknowledged]");
  assert.notEqual(await page.textContent("[data-kind=acknowledged] .shape"), await page.textContent("[data-kind=opened] .shape"));
  await page.click("[data-deed=comment]");
  assert.equal(await page.inputValue("form.deed [name=by]"), "ann", "the name is remembered");
  await page.fill("form.deed textarea", "it is the <b>worker</b>");
  await page.click("form.deed [type=submit]");
  await until("it was said", async () => asked.length === 2);
  await page.waitForSelector("form.deed", { state: "detached" });
  await page.click("[data-deed=silence]");
  await page.selectOption("form.deed [name=duration]", "8h");
  await page.click("form.deed [type=submit]");
  await until("it was silenced", async () => asked.length === 3);
  await page.waitForSelector("form.deed", { state: "detached" });
  await page.click("[data-deed=resolve]");
  await page.click("form.deed [type=submit]");
  await until("the refusal is shown", async () => /not kept/.test(await page.textContent("form.deed")));
  assert.deepEqual(asked.map(({ deed, body }) => [deed, body]), [
    ["acknowledge", { by: "ann" }],
    ["comment", { by: "ann", text: "it is the <b>worker</b>" }],
    ["silence", { by: "ann", duration: "8h" }],
    ["resolve", { by: "ann", reason: "" }],
  ]);
  assert.equal(await page.getAttribute("[data-incident] a[href$=postmortem]", "href"), "/api/v1/incidents/00000000000000aa/postmortem");
  if (process.env.WEIR_SHOTS) await page.screenshot({ path: join(process.env.WEIR_SHOTS, "incident.png"), fullPage: true });
  assert.deepEqual(problems, []);
});

test("an alert is silenced for an hour by its labels; a refusal is shown, and who is silenced already has no button", async (t) => {
  const firing = (name, change = {}) => ({
    name, state: "firing", severity: "warning", summary: name, active_since: Date.now() / 1000 - 60, value: 1, fingerprint: name,
    labels: { alertname: name, topic: 'a "b"' }, suppressed: { silenced_by: [], inhibited_by: [] }, ...change,
  });
  const asked = [];
  const answer = (response, request) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      asked.push({ path: request.url, body: JSON.parse(body) });
      response.writeHead(asked.length === 1 ? 200 : 400);
      response.end(asked.length === 1 ? '{"silenceID": "x"}' : "too many silences");
    });
  };
  const alerts = [firing("First"), firing("Second"), firing("Quiet", { suppressed: { silenced_by: ["x"], inhibited_by: [] } }), firing("Waits", { state: "pending" })];
  const server = await scripted(t, (response) => json(response, overview({ alerts })), undefined, undefined, answer);
  const { page, problems } = await open(t, server.url);
  await page.waitForSelector("[data-alert=First] button");
  assert.equal(await count(page, "[data-alert=Quiet] button, [data-alert=Waits] button"), 0);
  assert.match(await page.textContent("[data-alert=Quiet]"), /silenced/);
  await page.click("[data-alert=First] button");
  await until("it is silenced", async () => (await page.textContent("[data-alert=First] button")) === "silenced");
  await page.click("[data-alert=Second] button");
  await until("the refusal is shown", async () => /not silenced: too many silences/.test(await page.textContent("[data-alert=Second] button")));
  assert.equal(await page.isDisabled("[data-alert=Second] button"), false, "it may be tried again");
  assert.equal(await page.isDisabled("[data-alert=First] button"), true);
  const [{ path, body }] = asked;
  assert.equal(path, "/api/v2/silences");
  assert.deepEqual(body.matchers, [
    { name: "alertname", value: "First", isRegex: false, isEqual: true },
    { name: "topic", value: 'a "b"', isRegex: false, isEqual: true },
  ]);
  assert.equal(Date.parse(body.endsAt) - Date.parse(body.startsAt), 3600_000);
  assert.deepEqual(problems, []);
});

test("the history is searched and filtered, and shows the page after the first", async (t) => {
  const rows = Array.from({ length: 60 }, (_, index) =>
    known(String(index).padStart(16, "0"), `Incident ${index}`, { open: index === 0, owner: index === 1 ? "ann" : "", resolved_at: index === 0 ? null : Date.now() / 1000 }));
  const asked = [];
  const server = await scripted(t, (response) => json(response, overview()), undefined, (address) => {
    if (address.pathname !== "/api/v1/incidents") return undefined;
    asked.push(address.search);
    const wanted = address.searchParams;
    if (wanted.get("q")) return { incidents: rows.filter((row) => row.title.includes(wanted.get("q"))), next: null };
    if (wanted.get("state") === "open") return { incidents: rows.slice(0, 1), next: null };
    return wanted.get("before") ? { incidents: rows.slice(50), next: null } : { incidents: rows.slice(0, 50), next: "1-0049" };
  });
  const { page, problems } = await open(t, server.url + "#incidents");
  await until("the first page", async () => (await count(page, "[data-incident]")) === 50);
  await page.click("#history .more");
  await until("the second page", async () => (await count(page, "[data-incident]")) === 60);
  assert.match(asked.at(-1), /before=1-0049/);
  await page.selectOption("[name=state]", "open");
  await until("only what is open", async () => (await count(page, "[data-incident]")) === 1);
  await page.selectOption("[name=state]", "all");
  await page.fill("[name=q]", "Incident 42");
  await until("what was searched", async () => (await page.$$eval("[data-incident] strong", (all) => all.map((each) => each.textContent))).join() === "Incident 42");
  await page.fill("[name=q]", "nothing like it");
  await until("it says so", async () => /No incident is like this/.test(await page.textContent("#history")));
  await page.fill("[name=q]", "Incident 1");
  await until("some", async () => (await count(page, "[data-incident]")) === 11);
  await page.click("[data-incident] .head");
  await page.waitForSelector("[data-incident] .timeline li");
  assert.ok(await page.$("[data-incident] [data-deed=reopen]"), "what is over can be reopened");
  if (process.env.WEIR_SHOTS) await page.screenshot({ path: join(process.env.WEIR_SHOTS, "history.png") });
  assert.deepEqual(problems, []);
});

test("an incident that the overview has no more is shown at its address, one that never was says so", async (t) => {
  const target = known("00000000000000ee", "What it became a part of");
  const old = known("00000000000000ff", "An old one", { open: false, resolved_at: Date.now() / 1000, merged_into: "00000000000000ee" });
  const server = await scripted(t, (response) => json(response, overview()), undefined, (address) =>
    address.pathname === "/api/v1/incidents/00000000000000ff" ? old : address.pathname === "/api/v1/incidents/00000000000000ee" ? target : undefined);
  const { page } = await open(t, server.url + "#incident/00000000000000ff");
  await page.waitForSelector("#linked-incident .timeline li");
  assert.match(await page.textContent("#linked-incident"), /Merged into/);
  assert.equal(await page.getAttribute('#linked-incident a[href^="#incident/"]', "href"), "#incident/00000000000000ee");
  assert.deepEqual(await page.$$eval("#linked-incident [data-deed]", (all) => all.map((each) => each.dataset.deed)), ["comment"]);
  await page.click('#linked-incident a[href^="#incident/"]');
  await until("the link leads there", async () => /What it became a part of/.test((await page.textContent("#linked-incident").catch(() => "")) ?? ""));
  const { page: other } = await open(t, server.url + "#incident/00000000000000dd");
  await other.waitForSelector("p.banner[role=alert]");
});
