// Keeps an overview fresh: fetched at once, then whenever the event stream says that something changed, and
// every few seconds in any case. One request at a time; never more often than twice a second.
import type { Overview } from "./types";

export interface Live {
  overview: Overview | null;
  fetchedAt: number; // milliseconds
  problem: string | null; // why what is shown may be old
}

const shortestGap = 500;
const longestGap = 10_000;

export function watch(show: (live: Live) => void): () => void {
  let live: Live = { overview: null, fetchedAt: 0, problem: null };
  let busy = false;
  let wanted = false;
  let retry = 1000;
  let timer = 0;
  let stream: EventSource | null = null;
  let stopped = false;

  const set = (change: Partial<Live>) => {
    live = { ...live, ...change };
    if (!stopped) show(live);
  };

  const plan = (delay: number) => {
    clearTimeout(timer);
    timer = window.setTimeout(fetchNow, delay);
  };

  async function fetchNow() {
    if (busy) {
      wanted = true;
      return;
    }
    busy = true;
    wanted = false;
    try {
      const response = await fetch("/api/weir/v1/overview", { signal: timeout(8000) });
      if (!response.ok) throw new Error("Weir answered " + response.status);
      const overview = (await response.json()) as Overview;
      retry = 1000;
      set({ overview, fetchedAt: Date.now(), problem: null });
      plan(wanted ? shortestGap : longestGap);
    } catch (error) {
      set({ problem: error instanceof Error && error.message.startsWith("Weir") ? error.message : "Weir cannot be reached" });
      plan(retry);
      retry = Math.min(retry * 2, longestGap);
    } finally {
      busy = false;
    }
  }

  function listen() {
    stream = new EventSource("/api/weir/v1/stream");
    stream.addEventListener("update", () => {
      if (busy) wanted = true;
      else plan(Math.max(0, live.fetchedAt + shortestGap - Date.now()));
    });
    // The browser reconnects by itself, except after an answer that is not a stream.
    stream.onerror = () => {
      if (stream?.readyState === EventSource.CLOSED && !stopped) window.setTimeout(listen, 3000);
    };
  }

  void fetchNow();
  listen();
  return () => {
    stopped = true;
    clearTimeout(timer);
    stream?.close();
  };
}

function timeout(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  window.setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}
