// The page of where data comes from and goes to, at #lineage and #lineage/<node>.
import { useEffect, useState } from "preact/hooks";
import { Badge, type Tone } from "./parts";
import { counted, span } from "./format";
import { lineageAddress, query } from "./lineage_address";
import { Drawing, marks } from "./lineage_graph";
import type { Graph, IncidentLineage, LineageNode, NodeDetails, NodeName } from "./lineage_types";

const interval = 10_000;
const mostDrawn = 400;

async function get<Answer>(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal });
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { error?: string } | null;
    throw new Error(said?.error ?? "Weir answered " + response.status);
  }
  return (await response.json()) as Answer;
}

/** Asks at once and then every few seconds; keeps the last answer while a new one cannot be had. */
function useAnswer<Answer>(url: string | null): { answer: Answer | null; problem: string | null } {
  const [state, setState] = useState<{ url: string | null; answer: Answer | null; problem: string | null }>({ url: null, answer: null, problem: null });
  useEffect(() => {
    if (url === null) return;
    const controller = new AbortController();
    let timer = 0;
    const ask = async () => {
      try {
        const answer = await get<Answer>(url, controller.signal);
        setState({ url, answer, problem: null });
      } catch (error) {
        if (controller.signal.aborted) return;
        const problem = error instanceof Error && !(error instanceof TypeError) ? error.message : "Weir cannot be reached";
        setState((before) => ({ url, answer: before.url === url ? before.answer : null, problem }));
      }
      timer = window.setTimeout(() => void ask(), interval);
    };
    void ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [url]);
  return state.url === url ? state : { answer: null, problem: null };
}

export function LineagePage({ chosen, choose }: { chosen: string; choose: (text: string | null) => void }) {
  const [pipeline, setPipeline] = useState("");
  const { answer: graph, problem } = useAnswer<Graph>(`/api/lineage?limit=${mostDrawn}&pipeline=${encodeURIComponent(pipeline)}`);
  return (
    <main class="lineage">
      <section class="panel" id="lineage" aria-labelledby="lineage-title">
        <header>
          <h2 id="lineage-title">Lineage</h2>
          {graph ? <span class="count">{counted(graph.total_nodes, "node")}</span> : null}
          <div class="note">
            {graph && graph.pipelines.length > 0 ? (
              <label>
                Pipeline{" "}
                <select value={pipeline} onChange={(event) => setPipeline((event.target as HTMLSelectElement).value)}>
                  <option value="">all</option>
                  {graph.pipelines.map((each) => (
                    <option key={each.name} value={each.name}>
                      {each.name}
                    </option>
                  ))}
                </select>
              </label>
            ) : null}
            <Legend />
          </div>
        </header>
        {problem ? <p class="banner" role="alert">{problem}</p> : null}
        {graph?.truncated ? (
          <p class="banner">
            {graph.nodes.length} of {counted(graph.total_nodes, "node")} are drawn, those of pipelines and those that are unwell first. Choose a pipeline to see it whole.
          </p>
        ) : null}
        {graph && graph.nodes.length === 0 ? (
          <p class="empty">Nothing is connected yet. Declare pipelines: in weir.yml, or let Weir read consumer groups, dbt's manifest or OpenLineage events.</p>
        ) : null}
        {graph && graph.nodes.length > 0 ? (
          <div class={"split" + (chosen ? " open" : "")}>
            <Drawing graph={graph} chosen={chosen || null} choose={choose} />
            {chosen ? <Details text={chosen} choose={choose} /> : null}
          </div>
        ) : null}
        {!graph && !problem ? <p class="empty">Loading…</p> : null}
      </section>
      {graph && graph.findings.length > 0 ? (
        <section class="panel" id="findings" aria-labelledby="findings-title">
          <header>
            <h2 id="findings-title">Findings</h2>
            <span class="count">{graph.findings.length}</span>
          </header>
          <ul class="cards">
            {graph.findings.map((finding) => (
              <li class="card warn" key={finding.kind + finding.text} data-finding={finding.kind}>
                <Badge tone="warn">{finding.kind.replace("_", " ")}</Badge> {finding.text}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </main>
  );
}

function Legend() {
  return (
    <span class="legend">
      {(["critical", "warning", "ok", "unknown"] as const).map((status) => (
        <span key={status} class={marks[status].tone}>
          <span aria-hidden="true">{marks[status].shape}</span> {marks[status].word}
        </span>
      ))}
    </span>
  );
}

function Details({ text, choose }: { text: string; choose: (text: string | null) => void }) {
  const { answer, problem } = useAnswer<NodeDetails>("/api/lineage/node?depth=20&" + query(text));
  return (
    <aside class="node-details" aria-label={"Details of " + text} data-details={text}>
      <button type="button" class="close" aria-label="Close" onClick={() => choose(null)}>×</button>
      {answer ? <Facts details={answer} choose={choose} /> : <p class="empty">{problem ?? "Loading…"}</p>}
    </aside>
  );
}

const outcomes = ["passes", "warns", "fails", "could not be evaluated"];

function Facts({ details, choose }: { details: NodeDetails; choose: (text: string | null) => void }) {
  const { node } = details;
  const cause = details.nearest_unwell_upstream;
  return (
    <>
      <h3>{node.name}</h3>
      <p class="dim">{node.kind + (node.place ? " in " + node.place : "")}</p>
      <p>
        <Badge tone={marks[node.status].tone as Tone}>{marks[node.status].word}</Badge> {node.pending ? <Badge tone="quiet">pending</Badge> : null}
        {node.check !== null ? ` worst check ${outcomes[node.check]}` : ""}
      </p>
      {node.alerts.length > 0 ? <p>Firing: {node.alerts.join(", ")}</p> : null}
      {cause ? (
        <p>
          Nearest that is unwell upstream: <Jump node={cause} choose={choose} />
        </p>
      ) : null}
      {details.pipelines.map((pipeline) => (
        <p key={pipeline.name} data-pipeline={pipeline.name}>
          Pipeline <strong>{pipeline.name}</strong>
          {pipeline.criticality ? `, ${pipeline.criticality}` : ""}
          {pipeline.owner ? `, owner ${pipeline.owner}` : ""}
          {pipeline.freshness_seconds !== null ? `, freshness within ${span(pipeline.freshness_seconds)}` : ""}
          {pipeline.latency_seconds !== null ? `, latency within ${span(pipeline.latency_seconds)}` : ""}
        </p>
      ))}
      {details.links.map((link) => (
        <p key={link.url}>
          <a href={link.url} target="_blank" rel="noreferrer">
            {link.title}
          </a>
        </p>
      ))}
      {details.incidents.length > 0 ? (
        <>
          <h4>Incidents</h4>
          <ul>
            {details.incidents.map((incident) => (
              <li key={incident.id}>
                <a href={"#incident/" + incident.id}>{incident.title}</a> {incident.open ? "(open)" : "(resolved)"}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <Ways title="Upstream" nodes={details.upstream} choose={choose} />
      <Ways title="Downstream" nodes={details.downstream} choose={choose} />
    </>
  );
}

function Ways({ title, nodes, choose }: { title: string; nodes: LineageNode[]; choose: (text: string | null) => void }) {
  return (
    <>
      <h4>
        {title} <span class="count">{nodes.length}</span>
      </h4>
      {nodes.length === 0 ? <p class="dim">nothing</p> : null}
      <ul data-ways={title.toLowerCase()}>
        {nodes.map((node) => (
          <li key={node.id}>
            <Jump node={node} choose={choose} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Jump({ node, choose }: { node: LineageNode; choose: (text: string | null) => void }) {
  return (
    <button type="button" class="jump" onClick={() => choose(node.text)}>
      <span class={marks[node.status].tone} aria-label={marks[node.status].word}>
        {marks[node.status].shape}
      </span>{" "}
      {node.name} <span class="dim">{node.kind}</span>
    </button>
  );
}

/** What an incident reaches, in its card. */
export function Affected({ lineage }: { lineage: IncidentLineage }) {
  const shown = lineage.downstream.slice(0, 8);
  const more = lineage.more + lineage.downstream.length - shown.length;
  const link = (node: NodeName) => (
    <a key={node.text} href={lineageAddress(node.text)}>
      {node.name}
    </a>
  );
  return (
    <div class="affected" data-affected={lineage.node.text}>
      {lineage.pipelines.map((pipeline) => (
        <p key={pipeline.name}>
          Pipeline <strong>{pipeline.name}</strong>
          {pipeline.criticality ? `, ${pipeline.criticality}` : ""}
          {pipeline.owner ? `, owner ${pipeline.owner}` : ""}
        </p>
      ))}
      <p>
        <a href={lineageAddress(lineage.node.text)}>Show in the lineage graph</a>
        {lineage.links.map((each) => (
          <>
            {" · "}
            <a key={each.url} href={each.url} target="_blank" rel="noreferrer">
              {each.title}
            </a>
          </>
        ))}
      </p>
      {shown.length > 0 ? (
        <p>
          Affected downstream: {shown.flatMap((node, index) => (index === 0 ? [link(node)] : [", ", link(node)]))}
          {more > 0 ? ` and ${more} more` : ""}
        </p>
      ) : null}
    </div>
  );
}
