// The incidents of all time that storage keeps, with search; and one of them by its address.
import { useEffect, useRef, useState } from "preact/hooks";
import { Badge, Panel } from "./parts";
import { span } from "./format";
import { IncidentView } from "./incident_view";
import type { Incident } from "./types";

interface Filter {
  q: string;
  state: string;
  severity: string;
  owner: string;
  days: string;
}

const anyFilter: Filter = { q: "", state: "all", severity: "", owner: "", days: "" };
const pageRows = 50;
const typingPause = 250; // milliseconds

function address(filter: Filter, before: string | null): string {
  const wanted = new URLSearchParams({ limit: String(pageRows), state: filter.state });
  if (filter.q.trim()) wanted.set("q", filter.q.trim());
  if (filter.severity) wanted.set("severity", filter.severity);
  if (filter.owner.trim()) wanted.set("owner", filter.owner.trim());
  if (filter.days) wanted.set("from", String(Math.floor(Date.now() / 1000) - Number(filter.days) * 86400));
  if (before) wanted.set("before", before);
  return "/api/v1/incidents?" + wanted.toString();
}

interface Found {
  incidents: Incident[];
  next: string | null;
  history_away: string | null; // why these are only those in memory
}

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(path);
  if (answer.ok) return (await answer.json()) as T;
  const said = (await answer.json().catch(() => null)) as { error?: string } | null;
  throw new Error(said?.error ?? `Weir answered ${answer.status}`);
}

function message(problem: unknown): string {
  return problem instanceof Error && !(problem instanceof TypeError) ? problem.message : "Weir cannot be reached";
}

function tone(incident: Incident) {
  if (!incident.open) return "good";
  return incident.severity === "critical" ? "bad" : incident.severity === "info" ? "quiet" : "warn";
}

function Row({ incident, shown, choose }: { incident: Incident; shown: boolean; choose: () => void }) {
  const state = incident.merged_into ? "merged" : !incident.open ? "resolved" : incident.acknowledged_at ? "acknowledged" : "open";
  return (
    <li class={"card incident " + (incident.open ? tone(incident) : "done")} data-incident={incident.id} data-open={incident.open}>
      <button type="button" class="head" aria-expanded={shown} onClick={choose}>
        <span class="top">
          <Badge tone={tone(incident)}>{state}</Badge>
          <strong>{incident.title}</strong>
          <span class="since">
            {incident.severity}
            {incident.owner ? `, ${incident.owner}` : ""}, {new Date(incident.opened_at * 1000).toLocaleString([], { hour12: false })}
            {incident.resolved_at !== null ? `, lasted ${span(incident.resolved_at - incident.opened_at)}` : ""}
          </span>
        </span>
        {incident.cause ? <span class="cause">{incident.cause}</span> : null}
      </button>
      {shown ? <IncidentView incident={incident} /> : null}
    </li>
  );
}

/** `version` changes when something happened: what is shown is asked for again. */
export function HistoryPage({ version }: { version: number }) {
  const [filter, setFilter] = useState(anyFilter);
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const asked = useRef(filter);
  useEffect(() => {
    // Who has gone further back is not to lose the place.
    if (asked.current === filter && (found?.incidents.length ?? 0) > pageRows) return;
    asked.current = filter;
    let current = true;
    const timer = window.setTimeout(async () => {
      try {
        const answer = await ask<Found>(address(filter, null));
        if (!current) return;
        setFound(answer);
        setProblem(null);
      } catch (failed) {
        if (current) setProblem(message(failed));
      }
    }, found === null ? 0 : typingPause);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [filter, version]);
  const more = async () => {
    if (!found?.next) return;
    try {
      const answer = await ask<Found>(address(filter, found.next));
      setFound({ ...answer, incidents: [...found.incidents, ...answer.incidents] });
    } catch (failed) {
      setProblem(message(failed));
    }
  };
  const field = (name: keyof Filter) => ({
    name,
    value: filter[name],
    onInput: (event: Event) => setFilter({ ...filter, [name]: (event.currentTarget as HTMLInputElement).value }),
  });
  const rows = found?.incidents ?? [];
  return (
    <main>
      <section class="panel" id="history" aria-labelledby="history-title">
        <header class="filters">
          <h2 id="history-title">History of incidents</h2>
          <input type="search" aria-label="Search" placeholder="Words in title, cause, labels, comments" {...field("q")} />
          <select aria-label="State" {...field("state")}>
            <option value="all">open and resolved</option>
            <option value="open">open</option>
            <option value="resolved">resolved</option>
          </select>
          <select aria-label="Severity" {...field("severity")}>
            <option value="">any severity</option>
            <option>critical</option>
            <option>warning</option>
            <option>info</option>
          </select>
          <select aria-label="Time" {...field("days")}>
            <option value="">all time</option>
            <option value="1">last day</option>
            <option value="7">last 7 days</option>
            <option value="30">last 30 days</option>
          </select>
          <input aria-label="Owner" placeholder="Owner" {...field("owner")} />
        </header>
        {found?.history_away && !problem ? (
          <p class="banner" role="alert">
            History is away, these are the incidents in memory. {found.history_away}
          </p>
        ) : null}
        {problem ? (
          <p class="empty problem" role="alert">
            {problem}
          </p>
        ) : rows.length === 0 ? (
          <p class="empty">{found === null ? "Loading…" : "No incident is like this."}</p>
        ) : (
          <ul class="cards whole">
            {rows.map((incident) => (
              <Row key={incident.id} incident={incident} shown={chosen === incident.id} choose={() => setChosen(chosen === incident.id ? null : incident.id)} />
            ))}
          </ul>
        )}
        {found?.next && !problem ? (
          <button type="button" class="more" onClick={more}>
            Show more
          </button>
        ) : null}
      </section>
    </main>
  );
}

/** The incident that a link names. `known` is what the overview says of it; storage is asked when it says nothing. */
export function LinkedIncident({ id, known, version, close }: { id: string; known: Incident | undefined; version: number; close: () => void }) {
  const [found, setFound] = useState<Incident | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const asking = known === undefined;
  useEffect(() => {
    if (!asking) return;
    let current = true;
    ask<Incident>("/api/v1/incidents/" + encodeURIComponent(id))
      .then((answer) => {
        if (!current) return;
        setFound(answer);
        setProblem(null);
      })
      .catch((failed) => current && setProblem(message(failed)));
    return () => {
      current = false;
    };
  }, [id, asking, version]);
  if (asking && problem)
    return (
      <p class="banner" role="alert">
        {problem}
      </p>
    );
  const incident = known ?? found;
  if (!incident) return null;
  return (
    <Panel id="linked-incident" title="Incident" count={1} empty="">
      <ul class="cards whole">
        <Row incident={incident} shown={true} choose={close} />
      </ul>
    </Panel>
  );
}
