import { useLocation } from "wouter";
import { useWidth } from "../charts/Chart";
import { micros } from "../format";
import { useWords } from "../i18n";
import type { Found } from "./search";

const HEIGHT = 130;
const LEFT = 62;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 24;

/** How long each trace took, and when. The list below tells the same to those who do not see it. */
export function Scatter({ traces }: { traces: Found[] }) {
  const { t, language } = useWords();
  const [, go] = useLocation();
  const [box, width] = useWidth();
  const starts = traces.map((each) => each.start);
  const [first, last] = [Math.min(...starts), Math.max(...starts)];
  const most = Math.max(...traces.map((each) => each.duration), 1);
  const x = (start: number) =>
    last > first ? LEFT + ((start - first) / (last - first)) * (width - LEFT - RIGHT) : width / 2;
  const y = (duration: number) => TOP + (1 - duration / most) * (HEIGHT - TOP - BOTTOM);
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
  const moments = last > first ? [first, (first + last) / 2, last] : [first];
  return (
    <figure className="chart scatter" ref={box}>
      <figcaption className="hidden">{t("traces.scatter")}</figcaption>
      <svg width={width} height={HEIGHT} aria-hidden="true">
        {[0, 0.5, 1].map((part) => (
          <g key={part} className="grid">
            <line x1={LEFT} x2={width - RIGHT} y1={y(part * most)} y2={y(part * most)} />
            <text x={LEFT - 8} y={y(part * most) + 4} textAnchor="end">
              {part ? micros(part * most, t) : "0"}
            </text>
          </g>
        ))}
        {moments.map((each, place) => (
          <text
            key={each}
            x={x(each)}
            y={HEIGHT - 5}
            textAnchor={place === 0 && last > first ? "start" : place === 2 ? "end" : "middle"}
          >
            {clock.format(each / 1000)}
          </text>
        ))}
        {traces.map((each) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the list below has a link to each
          <circle
            key={each.id}
            className={each.failed ? "error" : "ok"}
            cx={x(each.start)}
            cy={y(each.duration)}
            r={Math.min(9, 3.5 + Math.sqrt(each.spans) / 2)}
            onClick={() => go(`/trace/${each.id}`)}
          >
            <title>{`${each.service} ${each.operation} ${micros(each.duration, t)}`}</title>
          </circle>
        ))}
      </svg>
    </figure>
  );
}
