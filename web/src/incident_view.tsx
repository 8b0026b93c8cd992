// One incident: how long things took, what its cause rests on, what happened, and what a person can do about it.
import { useState } from "preact/hooks";
import { clock, span } from "./format";
import { Affected } from "./lineage";
import type { Incident, IncidentNode } from "./types";

// Each kind of entry has a shape of its own, so that a long timeline is read at a glance.
const shapes: Record<string, string> = {
  opened: "◆",
  grew: "▲",
  reopened: "↺",
  recovered: "●",
  resolved: "■",
  acknowledged: "✓",
  assigned: "→",
  commented: "✎",
  silenced: "◌",
  merged: "⇉",
  notified: "✉",
  event: "·",
};

type Deed = "acknowledge" | "assign" | "comment" | "resolve" | "reopen" | "silence";

interface Question {
  deed: Deed;
  title: string;
  field?: "owner" | "text" | "reason" | "duration";
  label?: string;
  required?: boolean;
}

const questions: Record<Deed, Question> = {
  acknowledge: { deed: "acknowledge", title: "Acknowledge" },
  assign: { deed: "assign", title: "Assign", field: "owner", label: "Owner (empty for nobody)" },
  comment: { deed: "comment", title: "Comment", field: "text", label: "Comment", required: true },
  resolve: { deed: "resolve", title: "Resolve", field: "reason", label: "Why (may be empty)" },
  reopen: { deed: "reopen", title: "Reopen", field: "reason", label: "Why (may be empty)" },
  silence: { deed: "silence", title: "Silence", field: "duration", label: "For how long", required: true },
};

const nameKey = "name"; // in localStorage: who works here

/** What went wrong, or null. */
async function post(id: string, deed: Deed, body: Record<string, string>): Promise<string | null> {
  try {
    const answer = await fetch(`/api/v1/incidents/${encodeURIComponent(id)}/${deed}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return null;
    const said = (await answer.json().catch(() => null)) as { error?: string } | null;
    return said?.error ?? `Weir answered ${answer.status}`;
  } catch {
    return "Weir cannot be reached: this was not kept";
  }
}

function DeedForm({ question, id, done }: { question: Question; id: string; done: () => void }) {
  const [name, setName] = useState(() => localStorage.getItem(nameKey) ?? "");
  const [text, setText] = useState(question.field === "duration" ? "2h" : "");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    localStorage.setItem(nameKey, name.trim());
    const body: Record<string, string> = { by: name };
    if (question.field) body[question.field] = text;
    const failed = await post(id, question.deed, body);
    setBusy(false);
    setProblem(failed);
    if (failed === null) done();
  };
  return (
    <form class="deed" data-deed-form={question.deed} onSubmit={submit}>
      {question.field === "text" ? (
        <label class="long">
          {question.label}
          <textarea name={question.field} rows={3} maxLength={4000} required value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      ) : question.field === "duration" ? (
        <label>
          {question.label}
          <select name={question.field} value={text} onChange={(event) => setText(event.currentTarget.value)}>
            {["30m", "2h", "8h", "1d", "1w"].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      ) : question.field ? (
        <label class="long">
          {question.label}
          <input name={question.field} maxLength={question.field === "owner" ? 100 : 1000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
      ) : null}
      <label>
        Your name
        <input name="by" maxLength={100} required value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <button type="submit" class="theme do" disabled={busy}>
        {question.title}
      </button>
      <button type="button" class="theme" onClick={done}>
        Cancel
      </button>
      {problem ? (
        <p class="problem" role="alert">
          {problem}
        </p>
      ) : null}
    </form>
  );
}

function nodeText(node: IncidentNode): string {
  return `${node.kind} ${node.name}${node.place ? ` in ${node.place}` : ""}`;
}

function Times({ incident }: { incident: Incident }) {
  const took = (name: string, seconds: number | null | undefined) =>
    seconds === null || seconds === undefined ? null : (
      <span key={name}>
        <span class="label">{name}</span> {seconds < 1 ? "at once" : span(seconds)}
      </span>
    );
  return (
    <p class="times">
      {took("Detected after", incident.time_to_detect_seconds)}
      {took("Acknowledged after", incident.time_to_acknowledge_seconds)}
      {took("Resolved after", incident.time_to_resolve_seconds)}
      {incident.owner ? (
        <span>
          <span class="label">Owner</span> <b>{incident.owner}</b>
        </span>
      ) : null}
      {incident.acknowledged_by ? (
        <span>
          <span class="label">Acknowledged by</span> <b>{incident.acknowledged_by}</b>
        </span>
      ) : null}
      {incident.merged_into ? (
        <span>
          <span class="label">Merged into</span> <a href={"#incident/" + incident.merged_into}>{incident.merged_into}</a>
        </span>
      ) : null}
    </p>
  );
}

function Why({ incident }: { incident: Incident }) {
  const reasons = incident.reasons;
  if (!reasons || (reasons.evidence.length === 0 && reasons.affected.length === 0 && !reasons.origin)) return null;
  return (
    <div class="why">
      {reasons.evidence.length > 0 ? (
        <ul data-evidence>
          {reasons.evidence.map((each, index) => (
            <li key={index}>{each}</li>
          ))}
        </ul>
      ) : null}
      {reasons.origin ? (
        <p>
          <span class="label">Most upstream</span> {nodeText(reasons.origin)}
        </p>
      ) : null}
      {reasons.affected.length > 0 ? (
        <p data-affected>
          <span class="label">Affected</span> {reasons.affected.map(nodeText).join(", ")}
        </p>
      ) : null}
    </div>
  );
}

export function IncidentView({ incident }: { incident: Incident }) {
  const [asked, setAsked] = useState<Deed | null>(null);
  const merged = Boolean(incident.merged_into);
  const deeds: Deed[] = merged ? ["comment"] : incident.open ? ["acknowledge", "assign", "comment", "silence", "resolve"] : ["comment", "assign", "reopen"];
  return (
    <div class="timeline">
      <p class="labels">
        {Object.entries(incident.labels).map(([name, value]) => (
          <code key={name}>
            {name}={value}
          </code>
        ))}
      </p>
      <Times incident={incident} />
      <div class="deeds">
        {deeds.map((deed) => (
          <button type="button" key={deed} class="theme" data-deed={deed} aria-expanded={asked === deed} onClick={() => setAsked(asked === deed ? null : deed)}>
            {questions[deed].title}
          </button>
        ))}
        <a class="theme" href={`/api/v1/incidents/${incident.id}/postmortem`} target="_blank" rel="noopener">
          Post-mortem
        </a>
      </div>
      {asked && deeds.includes(asked) ? <DeedForm key={asked} question={questions[asked]} id={incident.id} done={() => setAsked(null)} /> : null}
      <Why incident={incident} />
      {incident.lineage ? <Affected lineage={incident.lineage} /> : null}
      <ol>
        {incident.timeline.map((entry, index) => (
          <li key={index} data-kind={entry.kind}>
            <time title={new Date(entry.at * 1000).toISOString()}>{clock(entry.at)}</time>
            <span class="kind">
              <span class="shape" aria-hidden="true">
                {shapes[entry.kind] ?? "·"}
              </span>{" "}
              {entry.kind}
            </span>
            <span class="words">{entry.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
