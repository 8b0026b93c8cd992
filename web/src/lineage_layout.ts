// Where the nodes of a graph stand: from left to right, as data goes. Pure.
import dagre from "@dagrejs/dagre";
import type { LineageEdge, LineageNode } from "./lineage_types";

export interface Box {
  x: number; // of the centre
  y: number;
  width: number;
  height: number;
}
export interface Line {
  edge: LineageEdge;
  path: string;
}
export interface Layout {
  boxes: Map<number, Box>;
  lines: Line[];
  width: number;
  height: number;
}

const lineHeight = 44;
const beside = 44; // of a node's width is not text, in pixels
const longest = 34;

export function shortened(name: string): string {
  return name.length <= longest ? name : name.slice(0, 14) + "…" + name.slice(-(longest - 15));
}

/** Edges that a job's own explain (from a to b by way of it) are left out, except for what they say of columns. */
export function drawn(edges: LineageEdge[], jobs: Set<number>): LineageEdge[] {
  const out = new Map<number, Set<number>>();
  for (const edge of edges) {
    if (!out.has(edge.from)) out.set(edge.from, new Set());
    out.get(edge.from)!.add(edge.to);
  }
  return edges.filter((edge) => {
    if (edge.columns.length === 0 || edge.seen_by.includes("declared")) return true;
    return ![...(out.get(edge.from) ?? [])].some((via) => jobs.has(via) && out.get(via)?.has(edge.to));
  });
}

/** The pixels that the two lines of a node take. */
export type Measure = (name: string, kind: string) => number;

/** For fonts that are not known: wide ones. */
export const estimate: Measure = (name, kind) => Math.max(name.length * 8.8, kind.length * 7.2);

export function kindOf(node: LineageNode): string {
  return node.kind + (node.place ? " in " + node.place : "");
}

export function layout(nodes: LineageNode[], edges: LineageEdge[], measure: Measure = estimate): Layout {
  const graph = new dagre.graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 56, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) {
    const width = Math.max(96, beside + measure(shortened(node.name), kindOf(node)));
    graph.setNode(String(node.id), { width, height: lineHeight });
  }
  const shown = drawn(edges, new Set(nodes.filter((node) => node.kind === "job").map((node) => node.id)));
  // A way from a node to itself is drawn by the node, not by the layout.
  for (const edge of shown) if (edge.from !== edge.to) graph.setEdge(String(edge.from), String(edge.to));
  dagre.layout(graph);
  const boxes = new Map<number, Box>();
  for (const id of graph.nodes()) {
    const { x, y, width, height } = graph.node(id);
    boxes.set(Number(id), { x, y, width, height });
  }
  const lines = shown.map((edge) => ({
    edge,
    path: edge.from === edge.to ? loop(boxes.get(edge.from)!) : curve(graph.edge(String(edge.from), String(edge.to)).points),
  }));
  const size = graph.graph();
  return { boxes, lines, width: finite(size.width), height: finite(size.height) };
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0;
}

function loop(box: Box): string {
  const right = box.x + box.width / 2;
  return `M${right},${box.y - 8} c28,-14 28,30 0,16`;
}

/** A smooth line through the points: to the middle of each pair, bent by the point before it. */
export function curve(points: { x: number; y: number }[]): string {
  const at = (point: { x: number; y: number }) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`;
  const first = points[0];
  if (!first) return "";
  let path = "M" + at(first);
  for (let i = 1; i < points.length - 1; ++i) {
    const point = points[i]!;
    const next = points[i + 1]!;
    const end = i === points.length - 2 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += ` Q${at(point)} ${at(end)}`;
  }
  if (points.length === 2) path += " L" + at(points[1]!);
  return path;
}

/** Everything that can be reached from a node one way, with the node itself. */
export function reached(edges: LineageEdge[], start: number, downstream: boolean): Set<number> {
  const seen = new Set([start]);
  const todo = [start];
  while (todo.length > 0) {
    const at = todo.pop()!;
    for (const edge of edges) {
      const [from, to] = downstream ? [edge.from, edge.to] : [edge.to, edge.from];
      if (from === at && !seen.has(to)) {
        seen.add(to);
        todo.push(to);
      }
    }
  }
  return seen;
}
