import assert from "node:assert/strict";
import { test } from "node:test";
import { lineageAddress, nodeInAddress, query } from "../src/lineage_address";
import { curve, drawn, layout, reached, shortened } from "../src/lineage_layout";
import type { LineageEdge, LineageNode } from "../src/lineage_types";

function node(id: number, kind = "table", name = "t" + id): LineageNode {
  return { id, kind, place: "w", name, text: `${kind}:w/${name}`, known: true, status: "ok", pending: false, alerts: [], check: null, pipelines: [] };
}
function edge(from: number, to: number, columns: [string, string][] = [], seen_by = ["openlineage"]): LineageEdge {
  return { from, to, seen_by, columns };
}

test("data goes from left to right, and no two nodes overlap", () => {
  const nodes = [0, 1, 2, 3].map((id) => node(id));
  const plan = layout(nodes, [edge(0, 1), edge(1, 2), edge(0, 3)]);
  const at = (id: number) => plan.boxes.get(id)!;
  assert.ok(at(0).x + at(0).width / 2 < at(1).x - at(1).width / 2);
  assert.ok(at(1).x < at(2).x);
  assert.ok(Math.abs(at(1).y - at(3).y) >= at(1).height);
  assert.equal(plan.lines.length, 3);
  assert.ok(plan.width > 0 && plan.height > 0);
});

test("cycles, ways to oneself and an empty graph are laid out too", () => {
  const plan = layout([node(0), node(1)], [edge(0, 1), edge(1, 0), edge(0, 0)]);
  assert.equal(plan.lines.length, 3);
  for (const line of plan.lines) assert.match(line.path, /^M[-\d.]+,[-\d.]+ /);
  const narrow = layout([node(0)], [], () => 10).boxes.get(0)!.width;
  assert.equal(layout([node(0)], [], () => 300).boxes.get(0)!.width, 344, "what the text takes, and what is beside it");
  assert.equal(narrow, 96, "but no less than this");
  assert.deepEqual([layout([], []).width, layout([], []).lines.length], [0, 0]);
});

test("a way of columns that a job explains is not drawn besides", () => {
  const through = [edge(0, 1), edge(1, 2)];
  const columns = edge(0, 2, [["id", "id"]]);
  assert.deepEqual(drawn([...through, columns], new Set([1])), through);
  assert.equal(drawn([...through, columns], new Set()).length, 3);
  assert.equal(drawn([...through, edge(0, 2, [["id", "id"]], ["declared", "openlineage"])], new Set([1])).length, 3);
});

test("what is reached ends where it began in a circle", () => {
  const edges = [edge(0, 1), edge(1, 2), edge(2, 0), edge(3, 1)];
  assert.deepEqual([...reached(edges, 1, true)].sort(), [0, 1, 2]);
  assert.deepEqual([...reached(edges, 1, false)].sort(), [0, 1, 2, 3]);
});

test("a curve goes through its ends", () => {
  assert.equal(curve([]), "");
  assert.equal(curve([{ x: 0, y: 0 }, { x: 5, y: 5 }]), "M0.0,0.0 L5.0,5.0");
  assert.match(curve([{ x: 0, y: 0 }, { x: 1, y: 9 }, { x: 2, y: 0 }]), /^M0\.0,0\.0 .* 2\.0,0\.0$/);
});

test("addresses name a node and are read back", () => {
  for (const text of ["topic:prod/orders", "job:airflow://host/a b/c", "table:w/ü#1", "dashboard:x"]) {
    assert.equal(nodeInAddress(lineageAddress(text)), text);
  }
  assert.equal(nodeInAddress("#lineage"), "");
  assert.equal(nodeInAddress("#incident/aa"), null);
  assert.equal(nodeInAddress("#lineage/%zz"), "");
  assert.equal(query("group:prod/a/b"), "kind=group&place=prod&name=a%2Fb");
  assert.equal(query("job:airflow://host/load"), "kind=job&place=airflow%3A%2F%2Fhost&name=load");
  assert.equal(query("dashboard:x"), "kind=dashboard&place=&name=x");
});

test("long names keep their beginning and end", () => {
  const long = "a".repeat(30) + "z".repeat(30);
  assert.equal(shortened("short"), "short");
  assert.match(shortened(long), /^a+…z+$/);
  assert.ok(shortened(long).length <= 34);
});
