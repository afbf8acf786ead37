import { useState } from "react";
import useSWR from "swr";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { WindowSelect } from "../parts/WindowSelect";
import { Chart } from "./Chart";
import type { Line, Points } from "./scale";

interface Figures {
  start: number;
  end: number;
  step: number;
  requests: Record<string, Points>;
  latency: Record<"p50" | "p95" | "p99", Points>;
  sent: Points;
  received: Points;
}

const STATES: Record<string, string> = { "2xx": "ok", "3xx": "info", "4xx": "warning", "5xx": "error", none: "error" };

interface Props {
  of: "workload" | "service" | "app";
  namespace: string;
  name: string;
}

export function Charts({ of, namespace, name }: Props) {
  const { t } = useWords();
  const [direction, setDirection] = useState<"in" | "out">("in");
  const [window, setWindow] = useState(600);
  const asked = `/api/charts/${of}/${namespace}/${name}?direction=${direction}&window=${window}`;
  const { data, error } = useSWR<Figures, Error>(asked);
  return (
    <section aria-label={t("chart.traffic")}>
      <div className="heading">
        <h2>{t("chart.traffic")}</h2>
        {of !== "service" && (
          <div className="segments">
            {(["in", "out"] as const).map((each) => (
              <button key={each} type="button" aria-pressed={direction === each} onClick={() => setDirection(each)}>
                {t(each === "in" ? "node.incoming" : "node.outgoing")}
              </button>
            ))}
          </div>
        )}
        <WindowSelect value={window} least={300} onChange={setWindow} />
      </div>
      <Loaded data={data} error={error}>
        {(figures) => <Panels figures={figures} />}
      </Loaded>
    </section>
  );
}

function Panels({ figures }: { figures: Figures }) {
  const { t } = useWords();
  const { start, end, step } = figures;
  const requests = Object.entries(figures.requests).map<Line>(([name, points]) => ({
    name: name === "none" ? t("chart.none") : name,
    points,
    state: STATES[name] ?? "info",
  }));
  const latency = Object.entries(figures.latency).map<Line>(([name, points]) => ({
    name: name.toUpperCase(),
    points,
    state: name,
  }));
  const bytes: Line[] = [
    { name: t("chart.sent"), points: scaled(figures.sent), state: "p50" },
    { name: t("chart.received"), points: scaled(figures.received), state: "p95" },
  ];
  const some = bytes.some((line) => line.points.length > 0);
  return (
    <div className="charts">
      <Chart title={t("edge.rate")} unit={t("unit.rps")} lines={requests} start={start} end={end} step={step} filled />
      <Chart title={t("chart.latency")} unit={t("unit.ms")} lines={latency} start={start} end={end} step={step} />
      {some && <Chart title={t("edge.bytes")} unit="kB/s" lines={bytes} start={start} end={end} step={step} filled />}
    </div>
  );
}

function scaled(points: Points): Points {
  return points.map(([time, value]) => [time, value / 1000]);
}
