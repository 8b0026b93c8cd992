// Numbers and times for people; null reads as an en dash.
const units: [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

export function short(value: number | null): string {
  if (value === null) return "–";
  const size = Math.abs(value);
  for (const [unit, suffix] of units) {
    if (size >= unit * 10 || (size >= unit && unit > 1e3)) return trim(value / unit) + suffix;
  }
  return size < 100 && !Number.isInteger(value) ? trim(value) : exact(Math.round(value));
}

function trim(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace(/\.?0+$/, "");
}

export function exact(value: number | null): string {
  return value === null ? "unknown" : value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

/** "1 topic", "2 topics". */
export function counted(count: number, noun: string): string {
  return `${exact(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function span(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 1) return "now";
  if (seconds < 60) return Math.floor(seconds) + "s";
  if (seconds < 3600) return Math.floor(seconds / 60) + "m " + Math.floor(seconds % 60) + "s";
  if (seconds < 86400) return Math.floor(seconds / 3600) + "h " + Math.floor((seconds % 3600) / 60) + "m";
  return Math.floor(seconds / 86400) + "d " + Math.floor((seconds % 86400) / 3600) + "h";
}

/** "just now", "5s ago". */
export function ago(seconds: number): string {
  return seconds < 1 ? "just now" : span(seconds) + " ago";
}

/** How long something lasts already. */
export function lasting(seconds: number): string {
  return seconds < 1 ? "0s" : span(seconds);
}

/** A name as it is shown: one that nobody could see is in quotes. */
export function visible(name: string): string {
  return /^[\s\p{C}]*$/u.test(name) ? JSON.stringify(name) : name;
}

export function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

export type Direction = 1 | -1;

/** Sorted copy; unknown values come last in either direction. */
export function sorted<Row>(rows: Row[], key: (row: Row) => string | number | null, direction: Direction): Row[] {
  return [...rows].sort((a, b) => {
    const left = key(a);
    const right = key(b);
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    if (typeof left === "string" && typeof right === "string") return direction * left.localeCompare(right);
    return left === right ? 0 : direction * (left < right ? -1 : 1);
  });
}

/** An SVG path through the points, in a box of the given size; gaps where the value is unknown. */
export function sparkPath(points: [number, number | null][], width: number, height: number): string {
  const known = points.filter((point): point is [number, number] => point[1] !== null);
  if (known.length < 2) return "";
  const from = known[0]![0];
  const to = known[known.length - 1]![0];
  const values = known.map((point) => point[1]);
  const low = Math.min(...values, 0);
  const high = Math.max(...values);
  const x = (time: number) => (to === from ? 0 : ((time - from) / (to - from)) * width);
  const y = (value: number) => (high === low ? height - 1 : height - 1 - ((value - low) / (high - low)) * (height - 2));
  let path = "";
  let broken = true;
  for (const [time, value] of points) {
    if (value === null) {
      broken = true;
      continue;
    }
    path += (broken ? "M" : "L") + x(time).toFixed(1) + " " + y(value).toFixed(1);
    broken = false;
  }
  return path;
}

// What it means that storage is not open.
export function storageText({ state, why }: { state: "away" | "failing" | "standby" | "mending"; why: string }): string {
  if (state === "standby") return `This Weir stands by: it collects, and another one judges and notifies. ${why}`;
  const meaning = {
    away: "Storage was not there when Weir started: what fired before is not known yet, and nobody is told of what fires.",
    failing: "Storage does not take what happens: it is kept in memory, and nobody is told until it is stored.",
    mending: "Storage is being mended: what happens is kept in memory, and nobody is told until it is stored.",
  };
  return `${meaning[state]} ${why}`;
}
