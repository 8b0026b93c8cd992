// The shapes of /api/lineage and /api/lineage/node.
export type Status = "critical" | "warning" | "info" | "ok" | "unknown";

export interface NodeName {
  kind: string;
  place: string;
  name: string;
  text: string; // "group:prod/billing", as the address and the configuration have it
}
export interface LineageNode extends NodeName {
  id: number;
  known: boolean; // some collector sees it
  status: Status;
  pending: boolean;
  alerts: string[];
  check: number | null; // the worst outcome: 0 pass, 1 warn, 2 fail, 3 could not be evaluated
  pipelines: string[];
  depth?: number;
}
export interface LineageEdge {
  from: number;
  to: number;
  seen_by: string[];
  columns: [string, string][];
}
export interface Pipeline {
  name: string;
  owner: string;
  criticality: string;
  description: string;
  freshness_seconds: number | null;
  latency_seconds: number | null;
}
export interface Link {
  title: string;
  urn: string;
  url: string;
}
export interface Graph {
  now: number;
  nodes: LineageNode[];
  edges: LineageEdge[];
  pipelines: Pipeline[];
  findings: { kind: string; pipeline: string; text: string; nodes: string[] }[];
  total_nodes: number;
  total_edges: number;
  truncated: boolean;
}
export interface NodeDetails {
  node: LineageNode;
  upstream: LineageNode[];
  downstream: LineageNode[];
  nearest_unwell_upstream: LineageNode | null;
  incidents: { id: string; title: string; severity: string; open: boolean; opened_at: number }[];
  pipelines: Pipeline[];
  links: Link[];
  edges: LineageEdge[];
}
/** What an incident says of the graph; null where the graph does not know what it is about. */
export interface IncidentLineage {
  node: NodeName;
  downstream: NodeName[];
  more: number;
  pipelines: Pipeline[];
  links: Link[];
}
