// The page in a real headless Chromium, against a running Weir (WEIR_URL), and against a scripted server that fails
// in the ways a network does.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves the built page; `answer` decides about the overview, `range` about range queries. push() sends an event to every open stream. */
async function scripted(t, answer, range = () => []) {
  const streams = new Set();
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : request.url;
    response.setHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    if (path === "/api/weir/v1/overview") return answer(response);
    if (path.startsWith("/api/v1/query_range?")) {
      const values = range(new URLSearchParams(path.slice(path.indexOf("?"))).get("query"));
      return json(response, { status: "success", data: { resultType: "matrix", result: [{ metric: {}, values }] } });
    }
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
  return {
    now: Date.now() / 1000, version: "test", uptime_seconds: 60, truncated: false, collectors: [], clusters: [], groups: [], topics: [],
    dead_letters: [], subjects: [], tables: [], alerts: [], incidents: [], ...change,
  };
}

function json(response, value) {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
}

function group(name, lag) {
  return { cluster: "c", group: name, state: "Stable", members: 1, lag, messages_lost: 0, uncommitted_partitions: 0, alert: null, trend: [], topics: [] };
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

test("an incident's link opens it", async (t) => {
  const server = await scripted(t, (response) => json(response, overview({ incidents: [incident("00000000000000aa", "One"), incident("00000000000000bb", "Two")] })));
  const { page } = await open(t, server.url + "#incident/00000000000000bb");
  await page.waitForSelector('[data-incident="00000000000000bb"] .timeline');
  assert.equal((await page.$$(".timeline")).length, 1);
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
      topics: [{ cluster: hostile, topic: hostile, partitions: 1, messages: null, records_per_second: null, under_replicated: null, offline: null, trend: [] }],
    })));
  const { page, problems } = await open(t, server.url);
  await page.setViewportSize({ width: 420, height: 900 });
  await page.waitForSelector("#groups [data-row]");
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "the page scrolls sideways");
  assert.deepEqual(problems, []);
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
