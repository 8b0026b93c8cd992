// Small pieces that every panel uses.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ago, clock, exact, lasting, short, sorted, sparkPath, type Direction } from "./format";
import type { Point } from "./types";

export type Tone = "bad" | "warn" | "good" | "quiet";

// Each tone has a shape of its own, so that nobody needs to see the colour.
const shapes: Record<Tone, string> = { bad: "◆", warn: "▲", good: "●", quiet: "○" };

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={"badge " + tone}>
      <span class="shape" aria-hidden="true">
        {shapes[tone]}
      </span>
      {children}
    </span>
  );
}

export function Number({ value, digits }: { value: number | null; digits?: string }) {
  return (
    <span class="number" title={exact(value) + (digits ?? "")}>
      {short(value)}
      {value !== null && digits ? <span class="unit">{digits}</span> : null}
    </span>
  );
}

export function Ago({ at, now }: { at: number; now: number }) {
  return <time title={new Date(at * 1000).toISOString()}>{ago(Math.max(0, now - at))}</time>;
}

export function Lasting({ at, now }: { at: number; now: number }) {
  return <time title={new Date(at * 1000).toISOString()}>{lasting(Math.max(0, now - at))}</time>;
}

export function Spark({ points, label }: { points: Point[]; label: string }) {
  const width = 96;
  const height = 22;
  const path = sparkPath(points, width, height);
  const last = points[points.length - 1];
  const text = last ? `${label}: ${exact(last[1])} at ${clock(last[0])}` : `${label}: no history yet`;
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <title>{text}</title>
      {path ? <path d={path} /> : null}
    </svg>
  );
}

/** `total` is of all where `count`, of what is listed, is cut. */
export function Panel(props: { id: string; title: string; count: number; total?: number; empty: string; note?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="panel" id={props.id} aria-labelledby={props.id + "-title"}>
      <header>
        <h2 id={props.id + "-title"}>{props.title}</h2>
        {props.count > 0 ? <span class="count">{exact(Math.max(props.count, props.total ?? 0))}</span> : null}
        <div class="note">{props.note}</div>
      </header>
      {props.count === 0 ? <p class="empty">{props.empty}</p> : props.children}
    </section>
  );
}

export interface Column<Row> {
  name: string;
  key: (row: Row) => string | number | null;
  cell: (row: Row) => ComponentChildren;
  numeric?: boolean;
}

const firstRows = 50;

/** A table that sorts by a click on its heads and shows the first rows until asked for all. */
export function Grid<Row>(props: {
  rows: Row[];
  columns: Column<Row>[];
  id: (row: Row) => string;
  start: number;
  direction: Direction;
  mark?: (row: Row) => Tone | null;
  open?: (row: Row) => ComponentChildren;
}) {
  const [by, setBy] = useState(props.start);
  const [direction, setDirection] = useState<Direction>(props.direction);
  const [all, setAll] = useState(false);
  const [opened, setOpened] = useState<string | null>(null);
  const rows = sorted(props.rows, props.columns[by]!.key, direction);
  const shown = all ? rows : rows.slice(0, firstRows);
  const sortBy = (index: number) => {
    setDirection(index === by ? (-direction as Direction) : props.columns[index]!.numeric ? -1 : 1);
    setBy(index);
  };
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {props.columns.map((column, index) => (
              <th class={column.numeric ? "numeric" : ""} aria-sort={index !== by ? "none" : direction > 0 ? "ascending" : "descending"}>
                <button type="button" onClick={() => sortBy(index)}>
                  {column.name}
                  <span aria-hidden="true">{index === by ? (direction > 0 ? " ↑" : " ↓") : ""}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.flatMap((row) => {
            const id = props.id(row);
            const tone = props.mark?.(row);
            const isOpen = opened === id;
            const line = (
              <tr key={id} class={[tone ?? "", props.open ? "opens" : "", isOpen ? "opened" : ""].join(" ")} data-row={id}>
                {props.columns.map((column, index) => (
                  <td class={column.numeric ? "numeric" : ""}>
                    {index === 0 && props.open ? (
                      <button type="button" class="open" aria-expanded={isOpen} onClick={() => setOpened(isOpen ? null : id)}>
                        {column.cell(row)}
                      </button>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
            if (!isOpen || !props.open) return [line];
            return [
              line,
              <tr key={id + " details"} class="details">
                <td colSpan={props.columns.length}>{props.open(row)}</td>
              </tr>,
            ];
          })}
        </tbody>
      </table>
      {rows.length > shown.length ? (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {rows.length}
        </button>
      ) : null}
    </div>
  );
}
