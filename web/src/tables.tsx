// The tables of warehouses, and what their checks found.
import { useState } from "preact/hooks";
import { Chart } from "./chart";
import { exact, short, span } from "./format";
import { useCheckHistory } from "./history";
import { alertTone, Name } from "./panels";
import { Badge, Grid, Number, Panel, Spark, type Column, type Tone } from "./parts";
import type { Check, Table } from "./types";

const outcomeTone: Record<Check["outcome"], Tone> = { pass: "good", warn: "warn", fail: "bad", error: "bad" };
const badness: Record<Check["outcome"], number> = { fail: 3, error: 2, warn: 1, pass: 0 };
const shownHours = 6; // as long as series are kept, unless configured otherwise

const failing = (table: Table) => table.checks.filter((check) => check.outcome !== "pass").length;

/** "expected 980–1,040, 5.2 deviations above"; nothing of a check that has no expectation. */
export function expectation(check: Check): string | null {
  if (check.state === null) return null;
  if (check.low === null || check.high === null) return check.state === "learning" ? "still learning what is usual" : null;
  const text = `expected ${exact(check.low)} to ${exact(check.high)}`;
  if (check.score === null || Math.abs(check.score) < 1) return text;
  return `${text}, ${Math.abs(check.score).toFixed(1)} deviations ${check.score > 0 ? "above" : "below"} the usual`;
}

function State({ check }: { check: Check }) {
  if (check.state === null || check.state === "normal") return null;
  return <Badge tone={check.state === "anomalous" ? "bad" : "quiet"}>{check.state.replace("_", " ")}</Badge>;
}

function Attributes({ check }: { check: Check }) {
  const given = [check.owner && "owner " + check.owner, check.severity, check.dimension].filter((text): text is string => Boolean(text));
  return (
    <>
      {given.map((text) => (
        <code key={text}>{text}</code>
      ))}
    </>
  );
}

function CheckHistory({ table, check }: { table: Table; check: Check }) {
  const history = useCheckHistory({ source: table.source, dataset: table.dataset, check: check.check }, check.low !== null, shownHours);
  if (history === null) return <p class="dim">Loading…</p>;
  if (history.problem) return <p class="dim">The history cannot be read: {history.problem}</p>;
  if (history.points.length === 0) return <p class="dim">Nothing was measured in the last {shownHours} hours.</p>;
  return <Chart points={history.points} name={check.check} {...(history.band ? { band: history.band } : {})} />;
}

function Checks({ table }: { table: Table }) {
  const [opened, setOpened] = useState<string | null>(null);
  const rows = [...table.checks].sort((a, b) => badness[b.outcome] - badness[a.outcome]);
  return (
    <ul class="checks">
      {rows.map((check) => {
        const isOpen = opened === check.check;
        const expected = expectation(check);
        return (
          <li key={check.check} data-check={check.check}>
            <Badge tone={outcomeTone[check.outcome]}>{check.outcome}</Badge>
            <span class="what">
              <button type="button" class="open name" aria-expanded={isOpen} title={check.check} onClick={() => setOpened(isOpen ? null : check.check)}>
                {check.check}
              </button>
              <State check={check} />
              <Attributes check={check} />
              {expected ? <span class="of">{expected}</span> : null}
            </span>
            <Number value={check.value} />
            {isOpen ? (
              <div class="past">
                <CheckHistory table={table} check={check} />
              </div>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function Outcome({ table }: { table: Table }) {
  if (failing(table) === 0) return <Badge tone={table.checks.length > 0 ? "good" : "quiet"}>{table.checks.length} pass</Badge>;
  const bad = table.checks.some((check) => check.outcome === "fail" || check.outcome === "error");
  return (
    <Badge tone={bad ? "bad" : "warn"}>
      {failing(table)} of {table.checks.length} not passing
    </Badge>
  );
}

const columns: Column<Table>[] = [
  { name: "Table", key: (row) => row.dataset, cell: (row) => <Name name={row.dataset} of={row.source} several={true} /> },
  {
    name: "Rows",
    key: (row) => row.row_count,
    cell: (row) => (
      <span title={row.scan_reused ? "Nothing was written since the last scan, whose results were taken again." : ""}>
        <Number value={row.row_count} />
        {row.scan_reused ? <span class="of">unchanged</span> : null}
      </span>
    ),
    numeric: true,
  },
  { name: "15 min", key: (row) => row.row_count, cell: (row) => <Spark points={row.trend} label={"rows of " + row.dataset} /> },
  { name: "Age", key: (row) => row.freshness_seconds, cell: (row) => span(row.freshness_seconds), numeric: true },
  { name: "Checks", key: failing, cell: (row) => <Outcome table={row} /> },
  {
    name: "Worst",
    key: (row) => Math.max(0, ...row.checks.map((check) => badness[check.outcome])),
    cell: (row) => {
      const worst = row.checks.reduce<Check | null>((most, check) => (badness[check.outcome] > (most ? badness[most.outcome] : 0) ? check : most), null);
      if (!worst) return <span class="dim">–</span>;
      return (
        <span class="name" title={worst.check}>
          {worst.check}
          <span class="of">{worst.value === null ? "" : "is " + short(worst.value)}</span>
        </span>
      );
    },
  },
];

export function Tables({ tables }: { tables: Table[] }) {
  const [filter, setFilter] = useState("");
  const [onlyFailing, setOnlyFailing] = useState(false);
  const wanted = filter.toLowerCase();
  const matches = (row: Table) =>
    [row.source, row.dataset, ...row.checks.flatMap((check) => [check.check, check.owner ?? ""])].join(" ").toLowerCase().includes(wanted);
  const rows = tables.filter((row) => matches(row) && (!onlyFailing || failing(row) > 0));
  return (
    <Panel
      id="tables"
      title="Tables"
      count={tables.length}
      empty="No table is checked. Add sources: and checks: to weir.yml."
      note={
        tables.length > 0 ? (
          <>
            <label>
              <input type="checkbox" checked={onlyFailing} onChange={(event) => setOnlyFailing(event.currentTarget.checked)} /> not passing only
            </label>
            <input type="search" placeholder="Filter tables, checks, owners" aria-label="Filter tables, checks and owners" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
          </>
        ) : null
      }
    >
      <Grid
        rows={rows}
        columns={columns}
        id={(row) => row.source + "/" + row.dataset}
        start={4}
        direction={-1}
        mark={(row) => (failing(row) > 0 ? (alertTone(row.alert) ?? "warn") : null)}
        open={(row) => <Checks table={row} />}
      />
    </Panel>
  );
}
