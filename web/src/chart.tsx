// A larger chart of one trend, drawn by uPlot.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { short } from "./format";
import type { Point } from "./types";

/** What was to be expected at the times of the points. */
export interface Band {
  low: (number | null)[];
  high: (number | null)[];
}

export function Chart({ points, name, band }: { points: Point[]; name: string; band?: Band }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const banded = band !== undefined;
  const data = (): uPlot.AlignedData => {
    const own: uPlot.AlignedData = [points.map((point) => point[0]), points.map((point) => point[1])];
    return band ? [...own, band.low, band.high] : own;
  };

  useEffect(() => {
    const parent = box.current!;
    const style = getComputedStyle(parent);
    const ink = style.getPropertyValue("--muted");
    const line = style.getPropertyValue("--line");
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const value = (_plot: uPlot, shown: number | null) => short(shown);
    const edge = { stroke: ink, width: 1, dash: [4, 4], value };
    plot.current = new uPlot(
      {
        width: Math.max(280, parent.clientWidth),
        height: 180,
        cursor: { drag: { x: false, y: false } },
        legend: { live: true },
        scales: { y: { range: (_plot, low, high) => (low === high ? [Math.min(0, low), high <= 0 ? 1 : high * 1.1] : banded ? [low - (high - low) * 0.1, high + (high - low) * 0.1] : [Math.min(0, low), high <= 0 ? 1 : high * 1.1]) } },
        axes: [axis, { ...axis, size: 56, values: (_plot, ticks) => ticks.map(short) }],
        series: [
          {},
          { label: name, stroke: style.getPropertyValue("--accent"), width: 2, value },
          ...(banded
            ? [
                { ...edge, label: "expected from" },
                { ...edge, label: "to" },
              ]
            : []),
        ],
        ...(banded ? { bands: [{ series: [3, 2] as [number, number], fill: style.getPropertyValue("--quiet-soft") }] } : {}),
      },
      data(),
      parent,
    );
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(280, parent.clientWidth), height: 180 }));
    resized.observe(parent);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [name, banded]);

  useEffect(() => plot.current?.setData(data()), [points, band]);
  return <div class="chart" ref={box} />;
}
