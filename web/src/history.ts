// The past of one series, asked of the Prometheus API when somebody looks.
import { useEffect, useState } from "preact/hooks";
import type { Band } from "./chart";
import type { Point } from "./types";

export interface History {
  points: Point[];
  band: Band | null;
  problem: string | null;
}

const refreshed = 15_000; // milliseconds
const shownPoints = 240;
const fewPoints = 10;
const shortest = 0.25; // hours

interface Answer {
  status: string;
  error?: string;
  data?: { result: { values: [number, string][] }[] };
}

/** `{name="value"}`, as PromQL writes it. */
export function selector(metric: string, labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${metric}{${pairs.join(",")}}`;
}

async function range(query: string, start: number, end: number, step: number): Promise<Map<number, number | null>> {
  const parameters = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const response = await fetch("/api/v1/query_range?" + parameters.toString());
  const answer = (await response.json()) as Answer;
  if (answer.status !== "success") throw new Error(answer.error ?? "Weir answered " + response.status);
  const values = new Map<number, number | null>();
  for (const series of answer.data?.result ?? []) {
    for (const [time, text] of series.values) values.set(time, Number.isFinite(Number(text)) ? Number(text) : null);
  }
  return values;
}

/** The values of a check over the last `hours`, with the range that was expected where `banded`. */
export function useCheckHistory(labels: Record<string, string>, banded: boolean, hours: number): History | null {
  const [history, setHistory] = useState<History | null>(null);
  const key = JSON.stringify([labels, banded, hours]);
  useEffect(() => {
    let stopped = false;
    let timer = 0;
    const last = async (span: number): Promise<History> => {
      const step = Math.max(1, Math.round((span * 3600) / shownPoints));
      const end = Math.floor(Date.now() / 1000 / step) * step;
      const of = (metric: string) => range(selector(metric, labels), end - span * 3600, end, step);
      const none = new Map<number, number | null>();
      const [values, low, high] = await Promise.all([
        of("weir_check_value"),
        banded ? of("weir_check_expected_low") : none,
        banded ? of("weir_check_expected_high") : none,
      ]);
      const points = [...values].map(([time, value]): Point => [time, value]);
      const at = (edge: Map<number, number | null>) => points.map(([time]) => edge.get(time) ?? null);
      return { points, band: banded ? { low: at(low), high: at(high) } : null, problem: null };
    };
    const ask = async () => {
      try {
        const long = await last(hours);
        // What began a moment ago is seen from near.
        const shown = long.points.length < fewPoints ? await last(shortest) : long;
        if (!stopped) setHistory(shown);
      } catch (error) {
        if (!stopped) setHistory({ points: [], band: null, problem: error instanceof Error ? error.message : String(error) });
      }
      if (!stopped) timer = window.setTimeout(() => void ask(), refreshed);
    };
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [key]);
  return history;
}
