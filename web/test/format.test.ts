import assert from "node:assert/strict";
import test from "node:test";
import { ago, counted, exact, lasting, short, sorted, span, sparkPath, storageText, visible } from "../src/format";

test("numbers are short, and unknown is not zero", () => {
  assert.equal(short(null), "–");
  assert.equal(short(0), "0");
  assert.equal(short(0.25), "0.25");
  assert.equal(short(9999), "9,999");
  assert.equal(short(12000), "12k");
  assert.equal(short(12345), "12.3k");
  assert.equal(short(1_500_000), "1.5M");
  assert.equal(short(-20_000), "-20k");
  assert.equal(exact(null), "unknown");
  assert.equal(exact(1234567), "1,234,567");
});

test("one thing is not many", () => {
  assert.equal(counted(1, "topic"), "1 topic");
  assert.equal(counted(0, "topic"), "0 topics");
  assert.equal(counted(1200, "topic"), "1,200 topics");
});

test("what just happened is not ago", () => {
  assert.equal(ago(0.4), "just now");
  assert.equal(ago(5), "5s ago");
  assert.equal(lasting(0.4), "0s");
  assert.equal(lasting(61), "1m 1s");
});

test("a name that nobody could see is quoted", () => {
  assert.equal(visible(" "), '" "');
  assert.equal(visible(""), '""');
  assert.equal(visible("a b"), "a b");
});

test("spans read as two units", () => {
  assert.equal(span(null), "–");
  assert.equal(span(0.2), "now");
  assert.equal(span(59), "59s");
  assert.equal(span(61), "1m 1s");
  assert.equal(span(3_700), "1h 1m");
  assert.equal(span(90_000), "1d 1h");
});

test("sorting leaves unknown values at the end in both directions", () => {
  const rows = [{ v: 2 }, { v: null }, { v: 3 }, { v: 1 }];
  assert.deepEqual(sorted(rows, (row) => row.v, 1).map((row) => row.v), [1, 2, 3, null]);
  assert.deepEqual(sorted(rows, (row) => row.v, -1).map((row) => row.v), [3, 2, 1, null]);
  assert.deepEqual(rows.map((row) => row.v), [2, null, 3, 1]);
});

test("a spark line breaks where the value is unknown", () => {
  const path = sparkPath([[0, 1], [1, 2], [2, null], [3, 1], [4, 2]], 40, 20);
  assert.equal(path.match(/M/g)?.length, 2);
});

test("a spark line needs two points, and a flat one stays inside its box", () => {
  assert.equal(sparkPath([], 40, 20), "");
  assert.equal(sparkPath([[0, 5]], 40, 20), "");
  for (const number of sparkPath([[0, 0], [1, 0]], 40, 20).match(/[\d.]+/g) ?? []) assert.ok(Number(number) <= 40);
  assert.match(sparkPath([[0, 0], [1, 0]], 40, 20), /^M0\.0 19\.0L40\.0 19\.0$/);
});

test("storage that is not open is said to mean something, with its reason", () => {
  assert.match(storageText({ state: "standby", why: "in use by host b" }), /stands by.*in use by host b$/);
  assert.match(storageText({ state: "away", why: "cannot connect" }), /nobody is told.*cannot connect$/);
  assert.match(storageText({ state: "failing", why: "disk full" }), /kept in memory.*disk full$/);
  assert.match(storageText({ state: "mending", why: "damaged" }), /being mended.*damaged$/);
});
