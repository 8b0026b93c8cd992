// One panel for each kind of thing that is watched.
import { useState } from "preact/hooks";
import { Chart } from "./chart";
import { Ago, Badge, Grid, Number, Panel, Spark, type Column, type Tone } from "./parts";
import { counted, exact, short, span, visible } from "./format";
import type { AlertMark, Collector, DeadLetter, Group, Overview, Subject, Topic } from "./types";

export function alertTone(alert: AlertMark): Tone | null {
  return alert === "firing" ? "bad" : alert === "pending" ? "warn" : null;
}

export function Name({ name, of, several, kind }: { name: string; of: string; several: boolean; kind?: string | null }) {
  return (
    <span class="name" title={`${name} (${of})`}>
      {visible(name)}
      {several ? <span class="of">{of}</span> : null}
      {kind && kind !== "classic" && kind !== "unknown" ? <span class="of">{kind}</span> : null}
    </span>
  );
}

function several(rows: { cluster: string }[]): boolean {
  return new Set(rows.map((row) => row.cluster)).size > 1;
}

function stateTone(group: Group): Tone {
  if (group.state === "Stable") return "good";
  if (group.state === "Empty" || group.state === "Dead") return (group.lag ?? 0) > 0 ? "warn" : "quiet";
  return group.state === "Unknown" ? "quiet" : "warn";
}

const statusTone: Record<NonNullable<Group["status"]>, Tone> = { OK: "good", IDLE: "quiet", UNKNOWN: "quiet", WARN: "warn", REWIND: "warn", STALL: "bad", STOP: "bad" };
const statusText: Record<NonNullable<Group["status"]>, string> = {
  OK: "It keeps up, or its lag does not grow.",
  IDLE: "Nothing is left to read.",
  UNKNOWN: "It lags and has not moved, and was not watched for a whole window yet.",
  WARN: "Its lag grows.",
  REWIND: "Its commit went back.",
  STALL: "It has members and lag, and its commits stand still.",
  STOP: "It has lag, and nobody reads.",
};

function Status({ status }: { status: Group["status"] }) {
  if (status === null) return <span class="dim">–</span>;
  return (
    <span title={statusText[status]}>
      <Badge tone={statusTone[status]}>{status}</Badge>
    </span>
  );
}

/** What the numbers of a group mean for whoever is woken by it. */
function Outlook({ group }: { group: Group }) {
  const said: string[] = [];
  if ((group.lag ?? 0) > 0 && group.catch_up_seconds !== null) said.push(`catches up in ${span(group.catch_up_seconds)}`);
  if (group.retention_margin_seconds !== null) said.push(`unread messages are deleted in ${span(Math.max(0, group.retention_margin_seconds))}`);
  if (said.length === 0) return null;
  return <p class="dim">At the present pace: {said.join("; ")}.</p>;
}

/** Partitions that lag leaves out, since nothing is committed there. */
function Uncommitted({ partitions }: { partitions: number | null }) {
  if (!partitions) return null;
  const text = `+${partitions} ${partitions === 1 ? "partition" : "partitions"} without a commit`;
  return (
    <span class="of" title="They hold messages, and are not in the lag.">
      {text}
    </span>
  );
}

export function Groups({ groups, total, overCap }: { groups: Group[]; total: number; overCap: number }) {
  const [filter, setFilter] = useState("");
  const many = several(groups);
  const rows = groups.filter((row) => (row.group + " " + row.cluster + " " + row.topics.map((topic) => topic.topic).join(" ")).toLowerCase().includes(filter.toLowerCase()));
  const columns: Column<Group>[] = [
    { name: "Group", key: (row) => row.group, cell: (row) => <Name name={row.group} of={row.cluster} several={many} kind={row.kind} /> },
    { name: "Status", key: (row) => row.status, cell: (row) => <Status status={row.status} /> },
    { name: "State", key: (row) => row.state, cell: (row) => <Badge tone={stateTone(row)}>{row.state}</Badge> },
    { name: "Members", key: (row) => row.members, cell: (row) => <Number value={row.members} />, numeric: true },
    {
      name: "Lag",
      key: (row) => row.lag,
      cell: (row) => (
        <>
          <Number value={row.lag} />
          <Uncommitted partitions={row.uncommitted_partitions} />
        </>
      ),
      numeric: true,
    },
    {
      name: "Behind",
      key: (row) => row.lag_seconds,
      cell: (row) => <span title="How long ago the next message to read was appended">{(row.lag_seconds_at_least ? "≥ " : "") + (row.lag_seconds === 0 ? "0s" : span(row.lag_seconds))}</span>,
      numeric: true,
    },
    { name: "15 min", key: (row) => row.lag, cell: (row) => <Spark points={row.trend} label={"lag of " + row.group} /> },
    { name: "Lost", key: (row) => row.messages_lost, cell: (row) => (row.messages_lost > 0 ? <Badge tone="bad">{short(row.messages_lost)}</Badge> : "0"), numeric: true },
    { name: "Alert", key: (row) => row.alert, cell: (row) => <Mark alert={row.alert} /> },
  ];
  return (
    <Panel
      id="groups"
      title="Consumer groups"
      count={groups.length}
      total={total}
      empty="No consumer group is seen. Add a cluster under kafka: in weir.yml, or widen groups.allow."
      note={
        groups.length > 0 ? (
          <>
          {overCap > 0 ? <Badge tone="warn">{`${overCap} more over groups.max`}</Badge> : null}
          <input type="search" placeholder="Filter groups and topics" aria-label="Filter groups and topics" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
          </>
        ) : null
      }
    >
      <Grid
        rows={rows}
        columns={columns}
        id={(row) => row.cluster + "/" + row.group}
        start={4}
        direction={-1}
        mark={(row) => alertTone(row.alert)}
        open={(row) => (
          <div class="group-details">
            <Outlook group={row} />
            <Chart points={row.trend} name={"lag of " + row.group} />
            <ul>
              {row.topics.map((topic) => (
                <li key={topic.topic}>
                  <span class="name">{topic.topic}</span>
                  <span>
                    lag <Number value={topic.lag} /> in {topic.partitions} partitions
                    <Uncommitted partitions={topic.uncommitted_partitions} />
                  </span>
                </li>
              ))}
            </ul>
          </div>
        )}
      />
    </Panel>
  );
}

export function Mark({ alert }: { alert: AlertMark }) {
  const tone = alertTone(alert);
  return tone ? <Badge tone={tone}>{alert}</Badge> : <span class="dim">–</span>;
}

export function Topics({ topics, total }: { topics: Topic[]; total: number }) {
  const many = several(topics);
  const trouble = (row: Topic): Tone | null => ((row.offline ?? 0) > 0 ? "bad" : (row.under_replicated ?? 0) > 0 ? "warn" : null);
  const columns: Column<Topic>[] = [
    { name: "Topic", key: (row) => row.topic, cell: (row) => <Name name={row.topic} of={row.cluster} several={many} /> },
    { name: "Records/s", key: (row) => row.records_per_second, cell: (row) => <Number value={row.records_per_second} />, numeric: true },
    { name: "15 min", key: (row) => row.records_per_second, cell: (row) => <Spark points={row.trend} label={"records per second of " + row.topic} /> },
    { name: "Messages", key: (row) => row.messages, cell: (row) => <Number value={row.messages} />, numeric: true },
    { name: "Newest", key: (row) => row.newest_record_age_seconds, cell: (row) => span(row.newest_record_age_seconds), numeric: true },
    { name: "Partitions", key: (row) => row.partitions, cell: (row) => <Number value={row.partitions} />, numeric: true },
    {
      name: "Replication",
      key: (row) => (row.offline ?? 0) * 1000 + (row.under_replicated ?? 0),
      cell: (row) =>
        (row.offline ?? 0) > 0 ? (
          <Badge tone="bad">{row.offline} offline</Badge>
        ) : (row.under_replicated ?? 0) > 0 ? (
          <Badge tone={(row.under_min_isr ?? 0) > 0 ? "bad" : "warn"}>
            {(row.under_min_isr ?? 0) > 0 ? `${row.under_min_isr} under min.insync` : `${row.under_replicated} under-replicated`}
          </Badge>
        ) : (
          <Badge tone={row.offline === null ? "quiet" : "good"}>{row.offline === null ? "unknown" : "in sync"}</Badge>
        ),
    },
  ];
  return (
    <Panel id="topics" title="Topics" count={topics.length} total={total} empty="No topic is seen. Add a cluster under kafka: in weir.yml.">
      <Grid rows={topics} columns={columns} id={(row) => row.cluster + "/" + row.topic} start={1} direction={-1} mark={trouble} />
    </Panel>
  );
}

export function DeadLetters({ rows, total }: { rows: DeadLetter[]; total: number }) {
  const many = several(rows);
  const columns: Column<DeadLetter>[] = [
    { name: "Topic", key: (row) => row.topic, cell: (row) => <Name name={row.topic} of={row.cluster} several={many} /> },
    { name: "Messages", key: (row) => row.messages, cell: (row) => <Number value={row.messages} />, numeric: true },
    { name: "15 min", key: (row) => row.messages, cell: (row) => <Spark points={row.trend} label={"messages in " + row.topic} /> },
    { name: "Arriving", key: (row) => row.messages_per_second, cell: (row) => <Number value={row.messages_per_second} digits="/s" />, numeric: true },
    { name: "Newest", key: (row) => row.newest_age_seconds, cell: (row) => span(row.newest_age_seconds), numeric: true },
    { name: "Alert", key: (row) => row.alert, cell: (row) => <Mark alert={row.alert} /> },
  ];
  return (
    <Panel id="dead-letters" title="Dead letters" count={rows.length} total={total} empty="No topic matches dead_letter.topics of a cluster.">
      <Grid rows={rows} columns={columns} id={(row) => row.cluster + "/" + row.topic} start={1} direction={-1} mark={(row) => alertTone(row.alert)} open={(row) => <Reasons row={row} />} />
    </Panel>
  );
}

/** Why the newest dead letters are there, as their headers say. */
function Reasons({ row }: { row: DeadLetter }) {
  if (row.reasons.length === 0) return <p class="dim">No reason is known: the newest messages have no headers that tell, or were not looked at yet.</p>;
  const reasons = [...row.reasons].sort((a, b) => b.messages - a.messages);
  return (
    <ul class="reasons">
      {reasons.map((reason) => (
        <li key={[reason.origin, reason.exception, reason.component].join(" ")}>
          <Number value={reason.messages} />
          <span class="name">{reason.exception || "unknown exception"}</span>
          <span class="dim">
            {reason.origin ? "from " + reason.origin : ""} {reason.component ? "in " + reason.component : ""}
          </span>
        </li>
      ))}
    </ul>
  );
}

function YesNo({ value, yes, no }: { value: boolean | null; yes: string; no: string }) {
  if (value === null) return <span class="dim">–</span>;
  return <Badge tone={value ? "good" : "bad"}>{value ? yes : no}</Badge>;
}

export function Subjects({ subjects, total }: { subjects: Subject[]; total: number }) {
  const columns: Column<Subject>[] = [
    { name: "Subject", key: (row) => row.subject, cell: (row) => <Name name={row.subject} of={row.registry} several={false} /> },
    { name: "Version", key: (row) => row.latest_version, cell: (row) => <Number value={row.latest_version} />, numeric: true },
    { name: "Level", key: (row) => row.compatibility, cell: (row) => row.compatibility ?? "–" },
    { name: "Newest", key: (row) => (row.compatible === null ? null : flag(row.compatible)), cell: (row) => <YesNo value={row.compatible} yes="compatible" no="breaks readers" /> },
    { name: "Candidate", key: (row) => (row.candidate_compatible === null ? null : flag(row.candidate_compatible)), cell: (row) => <YesNo value={row.candidate_compatible} yes="compatible" no="refused" /> },
  ];
  return (
    <Panel id="subjects" title="Schemas" count={subjects.length} total={total} empty="No schema registry is watched. Add one under schema_registries: in weir.yml.">
      <Grid rows={subjects} columns={columns} id={(row) => row.registry + "/" + row.subject} start={0} direction={1} mark={(row) => alertTone(row.alert)} />
    </Panel>
  );
}

function flag(value: boolean): number {
  return value ? 1 : 0;
}

export function Collectors({ collectors, now }: { collectors: Collector[]; now: number }) {
  return (
    <Panel id="collectors" title="Collectors" count={collectors.length} empty="Nothing is configured.">
      <ul class="cards">
        {collectors.map((collector) => (
          <li key={collector.name} class={"card " + (collector.success === false ? "bad" : "")} data-collector={collector.name}>
            <div class="top">
              <Badge tone={collector.success === null ? "quiet" : collector.success ? "good" : "bad"}>
                {collector.success === null ? "starting" : collector.success ? "works" : "fails"}
              </Badge>
              <strong>{collector.name}</strong>
              <span class="since">
                {collector.last_success === null ? (
                  "never succeeded"
                ) : (
                  <>
                    <Ago at={collector.last_success} now={now} />, took {Math.round(collector.duration_seconds * 1000)} ms
                  </>
                )}
              </span>
            </div>
            {collector.error ? <p>{collector.error}</p> : null}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** The counts at the top; each leads to its panel. */
export function Summary({ overview }: { overview: Overview }) {
  const all = overview.totals;
  const red = overview.collectors.filter((row) => row.success === false).length;
  const offline = overview.clusters.reduce((sum, row) => sum + row.offline + row.under_replicated, 0);
  const brokers = overview.clusters.reduce((sum, row) => sum + row.brokers, 0);
  const tiles: [string, string, string, string, Tone][] = [
    ["alerts", "Firing", exact(all.firing), `${exact(all.pending)} pending`, all.firing > 0 ? "bad" : "good"],
    ["incidents", "Open incidents", exact(all.open_incidents), `${exact(all.resolved_incidents)} resolved lately`, all.open_incidents > 0 ? "bad" : "good"],
    ["groups", "Total lag", short(all.lag), counted(all.groups, "group"), all.firing_groups > 0 ? "bad" : "quiet"],
    ["topics", "Records/s", short(all.records_per_second), `${counted(all.topics, "topic")}, ${counted(brokers, "broker")}`, offline > 0 ? "bad" : "quiet"],
    ["dead-letters", "Dead letters", short(all.dead_letters), counted(all.dead_letter_topics, "topic"), all.firing_dead_letter_topics > 0 ? "bad" : "quiet"],
    ["subjects", "Schemas broken", exact(all.broken_subjects), `of ${counted(all.subjects, "subject")}`, all.broken_subjects > 0 ? "bad" : "good"],
    ["tables", "Tables failing", exact(all.failing_tables), `of ${counted(all.tables, "table")}`, all.failing_tables > 0 ? "bad" : "good"],
    ["collectors", "Collectors failing", String(red), `of ${overview.collectors.length}`, red > 0 ? "bad" : "good"],
  ];
  return (
    <nav class="tiles" aria-label="Summary">
      {tiles.map(([target, label, value, note, tone]) => (
        <a key={target} href={"#" + target} class={"tile " + tone}>
          <span class="label">{label}</span>
          <span class="value">{value}</span>
          <span class="note">{note}</span>
        </a>
      ))}
    </nav>
  );
}
