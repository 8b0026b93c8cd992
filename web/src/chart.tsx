// A larger chart of one trend, drawn by uPlot.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { short } from "./format";
import type { Point } from "./types";

export function Chart({ points, name }: { points: Point[]; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = (): uPlot.AlignedData => [points.map((point) => point[0]), points.map((point) => point[1])];

  useEffect(() => {
    const parent = box.current!;
    const style = getComputedStyle(parent);
    const ink = style.getPropertyValue("--muted");
    const line = style.getPropertyValue("--line");
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    plot.current = new uPlot(
      {
        width: Math.max(280, parent.clientWidth),
        height: 180,
        cursor: { drag: { x: false, y: false } },
        legend: { live: true },
        scales: { y: { range: (_plot, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.1] } },
        axes: [axis, { ...axis, size: 56, values: (_plot, ticks) => ticks.map(short) }],
        series: [{}, { label: name, stroke: style.getPropertyValue("--accent"), width: 2, value: (_plot, value) => short(value) }],
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
  }, [name]);

  useEffect(() => plot.current?.setData(data()), [points]);
  return <div class="chart" ref={box} />;
}
