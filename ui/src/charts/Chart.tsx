import { curveMonotoneX, area as shapeArea, line as shapeLine } from "d3-shape";
import { type PointerEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { digits } from "../format";
import { useWords } from "../i18n";
import { at, type Line, largest, moments, type Points, pieces, ticks } from "./scale";

const HEIGHT = 170;
const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;

interface Props {
  title: string;
  unit: string;
  lines: Line[];
  start: number;
  end: number;
  step: number;
  filled?: boolean;
}

/** Lines over time. What the eye reads off the curve, the table below it tells to everybody else. */
export function Chart({ title, unit, lines, start, end, step, filled }: Props) {
  const { t, language } = useWords();
  const id = useId();
  const [box, width] = useWidth();
  const [moment, setMoment] = useState<number | null>(null);
  const shown = lines.filter((line) => line.points.length > 0);
  const marks = ticks(largest(shown));
  const most = marks.at(-1) ?? 1;
  const x = (time: number) => LEFT + ((time - start) / (end - start)) * (width - LEFT - RIGHT);
  const y = (value: number) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const place = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const time = start + ((place - LEFT) / (width - LEFT - RIGHT)) * (end - start);
    setMoment(time < start || time > end ? null : Math.round(time / step) * step);
  };
  const values = shown.map((line) => ({
    ...line,
    value: moment === null ? (line.points.at(-1)?.[1] ?? null) : at(line.points, moment, step),
  }));
  return (
    <figure className="chart" ref={box} aria-labelledby={id}>
      <figcaption id={id}>
        <strong>{title}</strong> <span className="quiet">{unit}</span>
        <span className="moment quiet">{moment === null ? "" : clock.format(moment * 1000)}</span>
      </figcaption>
      {shown.length === 0 ? (
        <p className="empty quiet">{t("chart.empty")}</p>
      ) : (
        <>
          <svg
            height={HEIGHT}
            width={width}
            aria-hidden="true"
            onPointerMove={move}
            onPointerLeave={() => setMoment(null)}
          >
            {marks.map((mark) => (
              <g key={mark} className="grid">
                <line x1={LEFT} x2={width - RIGHT} y1={y(mark)} y2={y(mark)} />
                <text x={LEFT - 8} y={y(mark) + 4} textAnchor="end">
                  {digits(mark)}
                </text>
              </g>
            ))}
            {moments(start, end - step).map((time) => (
              <text key={time} className="time" x={x(time)} y={HEIGHT - 5} textAnchor="middle">
                {clock.format(time * 1000)}
              </text>
            ))}
            {shown.map((line) =>
              pieces(line.points, step).map((points) => (
                <g key={`${line.name}${points[0]?.[0]}`} className={`series ${line.state}`}>
                  {filled && <path className="area" d={covered(points, x, y) ?? ""} />}
                  <path className="line" d={drawn(points, x, y) ?? ""} />
                </g>
              )),
            )}
            {moment !== null && <line className="cursor" x1={x(moment)} x2={x(moment)} y1={TOP} y2={HEIGHT - BOTTOM} />}
          </svg>
          <ul className="legend">
            {values.map((each) => (
              <li key={each.name} className={`series ${each.state}`}>
                <span className="swatch" aria-hidden="true" />
                {each.name} <b>{each.value === null ? "–" : digits(each.value)}</b>
              </li>
            ))}
          </ul>
        </>
      )}
    </figure>
  );
}

type Scale = (value: number) => number;

function drawn(points: Points, x: Scale, y: Scale): string | null {
  return shapeLine<Points[number]>()
    .x(([time]) => x(time))
    .y(([, value]) => y(value))
    .curve(curveMonotoneX)(points);
}

function covered(points: Points, x: Scale, y: Scale): string | null {
  return shapeArea<Points[number]>()
    .x(([time]) => x(time))
    .y0(y(0))
    .y1(([, value]) => y(value))
    .curve(curveMonotoneX)(points);
}

/** The width that there is, in pixels, kept up to date. */
export function useWidth(): [box: (element: HTMLElement | null) => void, width: number] {
  const element = useRef<HTMLElement | null>(null);
  const [width, setWidth] = useState(400);
  useLayoutEffect(() => {
    const own = element.current;
    if (!own) return;
    const watch = new ResizeObserver(() => setWidth(Math.max(own.clientWidth - 8, 0)));
    watch.observe(own);
    return () => watch.disconnect();
  }, []);
  return [
    (found) => {
      element.current = found;
    },
    width,
  ];
}
