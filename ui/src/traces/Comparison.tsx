import { useMemo } from "react";
import { Link } from "wouter";
import { micros } from "../format";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { useTrace } from "../views/TracePage";
import { compare, type Row, type Trace } from "./trace";

/** Two traces, laid over each other: what only one of them did, and what took longer. */
export function Comparison({ one, other }: { one: string; other: string }) {
  const { t } = useWords();
  const sides = [useTrace(one), useTrace(other)] as const;
  const [left, right] = [sides[0].trace, sides[1].trace];
  return (
    <>
      <div className="heading">
        <h1>{t("compare.title")}</h1>
        <Link className="button" href={`/trace/${other}...${one}`}>
          {t("compare.swap")}
        </Link>
      </div>
      <Loaded data={left && right && ([left, right] as const)} error={sides[0].error ?? sides[1].error}>
        {([first, second]) => (
          <>
            <div className="sides">
              <Side name={t("compare.a")} trace={first} />
              <Side name={t("compare.b")} trace={second} />
            </div>
            <Rows one={first} other={second} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Side({ name, trace }: { name: string; trace: Trace }) {
  const { t, language } = useWords();
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  const root = trace.spans[0];
  return (
    <section className="card side">
      <h2>
        {name}: <Link href={`/trace/${trace.id}`}>{root?.service}</Link>{" "}
        <span className="quiet">{root?.operation}</span>
      </h2>
      <p className="facts">
        <code>{trace.id.slice(0, 7)}</code>
        <span>{clock.format(trace.start / 1000)}</span>
        <span>{micros(trace.duration, t)}</span>
        <span>{t("traces.spans", { n: trace.spans.length })}</span>
      </p>
    </section>
  );
}

function Rows({ one, other }: { one: Trace; other: Trace }) {
  const { t } = useWords();
  const rows = useMemo(() => compare(one, other), [one, other]);
  const longest = Math.max(one.duration, other.duration, 1);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table framed compared" aria-label={t("compare.title")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("compare.what")}</th>
            <th className="figure">{t("compare.a")}</th>
            <th className="figure">{t("compare.b")}</th>
            <th className="figure">{t("compare.change")}</th>
            <th>{t("span.duration")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className={row.count[0] ? (row.count[1] ? "" : "lost") : "new"}>
              <td style={{ paddingInlineStart: `${0.75 + Math.min(row.depth, 16) * 0.9}rem` }}>
                <strong>{row.service}</strong> <span className="quiet">{row.operation}</span>
              </td>
              <Took row={row} side={0} />
              <Took row={row} side={1} />
              <Change row={row} />
              <td className="both" aria-hidden="true">
                {row.duration.map((each, side) => (
                  <span
                    // biome-ignore lint/suspicious/noArrayIndexKey: the two sides
                    key={side}
                    className={side ? "b" : "a"}
                    style={{ width: `${Math.min(100, (100 * each) / longest)}%` }}
                  />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Took({ row, side }: { row: Row; side: 0 | 1 }) {
  const { t } = useWords();
  const count = row.count[side];
  return (
    <td className="figure">
      {count ? micros(row.duration[side], t) : "–"}
      {count > 1 && <span className="quiet"> {t("compare.times", { n: count })}</span>}
    </td>
  );
}

function Change({ row }: { row: Row }) {
  const { t } = useWords();
  if (!row.count[0]) return <td className="figure warning">{t("compare.onlyB")}</td>;
  if (!row.count[1]) return <td className="figure warning">{t("compare.onlyA")}</td>;
  const change = row.duration[1] - row.duration[0];
  const part = Math.round((100 * change) / Math.max(1, row.duration[0]));
  if (change === 0) return <td className="figure quiet">{t("compare.same")}</td>;
  return (
    <td className={`figure ${part > 10 ? "error" : part < -10 ? "ok" : "quiet"}`}>
      {change > 0 ? "+" : "−"}
      {micros(Math.abs(change), t)} ({part > 0 ? "+" : ""}
      {part}%)
    </td>
  );
}
