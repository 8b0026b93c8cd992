// The drawing: pan by dragging, zoom by the wheel or the buttons, a click chooses a node.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { estimate, kindOf, layout, reached, shortened, type Box, type Measure } from "./lineage_layout";
import type { Graph, LineageNode, Status } from "./lineage_types";

interface Place {
  x: number;
  y: number;
  scale: number;
}

// Each status has a shape of its own, so that nobody needs to see the colour.
export const marks: Record<Status, { tone: string; shape: string; word: string }> = {
  critical: { tone: "bad", shape: "◆", word: "critical" },
  warning: { tone: "warn", shape: "▲", word: "warning" },
  info: { tone: "quiet", shape: "■", word: "information" },
  ok: { tone: "good", shape: "●", word: "well" },
  unknown: { tone: "quiet", shape: "○", word: "nothing known" },
};

/** With the fonts of style.css. */
function measured(): Measure {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return estimate;
  const family = getComputedStyle(document.body).fontFamily;
  const width = (font: string, text: string) => {
    pen.font = `${font} ${family}`;
    return pen.measureText(text).width;
  };
  return (name, kind) => Math.max(width("600 12.5px", name), width("11px", kind));
}

const least = 0.15;
const most = 3;

function fitted(width: number, height: number, wide: number, high: number): Place {
  const scale = Math.min(1.25, Math.max(least, Math.min(wide / Math.max(1, width), high / Math.max(1, height))));
  return { scale, x: (wide - width * scale) / 2, y: (high - height * scale) / 2 };
}

export function Drawing({ graph, chosen, choose }: { graph: Graph; chosen: string | null; choose: (text: string | null) => void }) {
  const frame = useRef<SVGSVGElement>(null);
  // What is unwell changes often, who is connected to whom seldom: only that is laid out anew.
  const shape = graph.nodes.map((node) => node.id + node.text).join() + "|" + graph.edges.map((edge) => `${edge.from}>${edge.to}`).join();
  const plan = useMemo(() => layout(graph.nodes, graph.edges, measured()), [shape]);
  const [place, setPlace] = useState<Place>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ x: number; y: number; from: Place } | null>(null);

  const fit = () => {
    const size = frame.current?.getBoundingClientRect();
    if (size) setPlace(fitted(plan.width, plan.height, size.width, size.height));
  };
  useEffect(fit, [plan, chosen === null]); // the panel beside it takes some of its width

  const zoom = (by: number, at?: { x: number; y: number }) => {
    const size = frame.current?.getBoundingClientRect();
    const centre = at ?? { x: (size?.width ?? 0) / 2, y: (size?.height ?? 0) / 2 };
    setPlace((before) => {
      const scale = Math.min(most, Math.max(least, before.scale * by));
      const grown = scale / before.scale;
      return { scale, x: centre.x - (centre.x - before.x) * grown, y: centre.y - (centre.y - before.y) * grown };
    });
  };
  useEffect(() => {
    const element = frame.current;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const size = element!.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), { x: event.clientX - size.left, y: event.clientY - size.top });
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  }, []);

  const start = graph.nodes.find((node) => node.text === chosen)?.id;
  const up = useMemo(() => (start === undefined ? null : reached(graph.edges, start, false)), [shape, start]);
  const down = useMemo(() => (start === undefined ? null : reached(graph.edges, start, true)), [shape, start]);
  const lit = (id: number) => up === null || up.has(id) || down!.has(id);
  const litEdge = (from: number, to: number) => up === null || (up.has(from) && up.has(to)) || (down!.has(from) && down!.has(to));

  const grab = (event: PointerEvent) => {
    if ((event.target as Element).closest("[data-node]")) return;
    drag.current = { x: event.clientX, y: event.clientY, from: place };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
  };
  const pull = (event: PointerEvent) => {
    const held = drag.current;
    if (held) setPlace({ ...held.from, x: held.from.x + event.clientX - held.x, y: held.from.y + event.clientY - held.y });
  };

  return (
    <div class="drawing">
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Nearer" onClick={() => zoom(1.25)}>+</button>
        <button type="button" aria-label="Farther" onClick={() => zoom(0.8)}>−</button>
        <button type="button" onClick={fit}>Fit</button>
      </div>
      <svg ref={frame} onPointerDown={grab} onPointerMove={pull} onPointerUp={() => (drag.current = null)} role="group" aria-label="Lineage graph">
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        <g transform={`translate(${place.x.toFixed(1)} ${place.y.toFixed(1)}) scale(${place.scale.toFixed(3)})`}>
          {plan.lines.map(({ edge, path }) => (
            <path
              key={edge.from + ">" + edge.to}
              class={"way" + (litEdge(edge.from, edge.to) ? "" : " faded") + (edge.seen_by.every((by) => by === "declared") ? " declared" : "")}
              d={path}
              marker-end="url(#arrow)"
              data-way={edge.from + ">" + edge.to}
            >
              <title>{"seen by " + edge.seen_by.join(", ") + (edge.columns.length > 0 ? ": " + edge.columns.map(([from, to]) => `${from} → ${to}`).join(", ") : "")}</title>
            </path>
          ))}
          {graph.nodes.map((node) => {
            const box = plan.boxes.get(node.id);
            return box ? <Item key={node.id} node={node} box={box} chosen={node.text === chosen} faded={!lit(node.id)} choose={choose} /> : null;
          })}
        </g>
      </svg>
    </div>
  );
}

function Item({ node, box, chosen, faded, choose }: { node: LineageNode; box: Box; chosen: boolean; faded: boolean; choose: (text: string | null) => void }) {
  const mark = marks[node.status];
  const pick = () => choose(chosen ? null : node.text);
  const label = `${node.kind} ${node.name}${node.place ? " in " + node.place : ""}: ${mark.word}`;
  return (
    <g
      class={`node ${mark.tone}${chosen ? " chosen" : ""}${faded ? " faded" : ""}`}
      transform={`translate(${box.x - box.width / 2} ${box.y - box.height / 2})`}
      role="button"
      tabindex={0}
      aria-pressed={chosen}
      aria-label={label}
      data-node={node.text}
      data-status={node.status}
      onClick={pick}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        pick();
      }}
    >
      <title>{label + (node.alerts.length > 0 ? " (" + node.alerts.join(", ") + ")" : "")}</title>
      <rect width={box.width} height={box.height} rx={node.kind === "topic" ? 22 : node.kind === "table" ? 3 : 10} />
      <text class="shape" x="14" y={box.height / 2 + 5}>
        {mark.shape}
      </text>
      <text class="label" x="30" y="19">
        {shortened(node.name)}
      </text>
      <text class="kind" x="30" y="34">
        {kindOf(node)}
      </text>
    </g>
  );
}
