// The shape of /api/weir/v1/overview. Times are seconds since 1970; what is unknown is null.
import type { IncidentLineage } from "./lineage_types";

export type Point = [number, number | null];
export type AlertMark = "firing" | "pending" | null;

export interface Collector {
  name: string;
  success: boolean | null;
  last_success: number | null;
  duration_seconds: number;
  error: string | null;
}
export interface Cluster {
  cluster: string;
  brokers: number;
  under_replicated: number;
  offline: number;
  groups_over_cap: number | null;
}
export interface Group {
  cluster: string;
  group: string;
  state: string;
  members: number | null;
  kind: string | null;
  status: "OK" | "IDLE" | "UNKNOWN" | "WARN" | "REWIND" | "STALL" | "STOP" | null;
  lag: number | null;
  lag_seconds: number | null;
  lag_seconds_at_least: boolean; // it is a lower bound
  catch_up_seconds: number | null;
  retention_margin_seconds: number | null; // until unread messages are deleted
  messages_lost: number;
  uncommitted_partitions: number | null;
  alert: AlertMark;
  trend: Point[];
  topics: { topic: string; lag: number; partitions: number; uncommitted_partitions: number | null }[];
}
export interface Topic {
  cluster: string;
  topic: string;
  partitions: number;
  messages: number | null;
  records_per_second: number | null;
  under_replicated: number | null;
  offline: number | null;
  under_min_isr: number | null;
  newest_record_age_seconds: number | null;
  trend: Point[];
}
export interface DeadLetter {
  cluster: string;
  topic: string;
  messages: number;
  messages_per_second: number | null;
  newest_age_seconds: number | null;
  reasons: { origin: string; exception: string; component: string; messages: number }[];
  alert: AlertMark;
  trend: Point[];
}
export interface Subject {
  registry: string;
  subject: string;
  versions: number;
  latest_version: number | null;
  compatibility: string | null;
  compatible: boolean | null;
  candidate_compatible: boolean | null;
  alert: AlertMark;
}
export interface Check {
  check: string;
  outcome: "pass" | "warn" | "fail" | "error";
  value: number | null;
  expected: number | null; // of anomaly detection, as low, high, score and state
  low: number | null;
  high: number | null;
  score: number | null;
  state: "learning" | "normal" | "anomalous" | "recovered" | "level_shift" | null;
  owner: string | null;
  severity: string | null;
  dimension: string | null;
  alert: AlertMark;
}
export interface Table {
  source: string;
  dataset: string;
  row_count: number | null;
  freshness_seconds: number | null;
  scan_reused: boolean | null;
  alert: AlertMark;
  trend: Point[];
  checks: Check[];
}
export interface Alert {
  fingerprint: string;
  name: string;
  state: "pending" | "firing";
  severity: string;
  summary: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: number | null;
  active_since: number;
  suppressed: { inhibited_by: string[]; silenced_by: string[] } | null;
}
export interface Incident {
  id: string;
  title: string;
  severity: string;
  open: boolean;
  opened_at: number;
  resolved_at: number | null;
  cause: string;
  labels: Record<string, string>;
  alerts: string[];
  timeline: { at: number; kind: string; text: string }[];
  lineage?: IncidentLineage | null;
  began_at?: number | null;
  time_to_detect_seconds?: number | null;
  time_to_acknowledge_seconds?: number | null;
  time_to_resolve_seconds?: number | null;
  owner?: string;
  acknowledged_by?: string;
  acknowledged_at?: number | null;
  merged_into?: string;
  reasons?: IncidentReasons;
}
export interface IncidentNode {
  kind: string;
  place: string;
  name: string;
}
/** What the likely cause rests on. */
export interface IncidentReasons {
  hypothesis: string;
  score: number | null;
  evidence: string[];
  origin: IncidentNode | null;
  affected: IncidentNode[];
}
/** Of all that is there; the lists are cut to the worst. */
export interface Totals {
  firing: number;
  pending: number;
  open_incidents: number;
  resolved_incidents: number;
  groups: number;
  lag: number;
  firing_groups: number;
  topics: number;
  records_per_second: number;
  dead_letter_topics: number;
  dead_letters: number;
  firing_dead_letter_topics: number;
  subjects: number;
  broken_subjects: number;
  tables: number;
  failing_tables: number;
}
export interface StorageTrouble {
  state: "away" | "failing" | "standby" | "mending";
  why: string;
}
export interface Overview {
  now: number;
  version: string;
  uptime_seconds: number;
  truncated: boolean;
  storage: StorageTrouble | null; // null while it is open
  totals: Totals;
  collectors: Collector[];
  clusters: Cluster[];
  groups: Group[];
  topics: Topic[];
  dead_letters: DeadLetter[];
  subjects: Subject[];
  tables: Table[];
  alerts: Alert[];
  incidents: Incident[];
}
