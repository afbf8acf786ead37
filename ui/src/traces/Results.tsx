import { useState } from "react";
import useSWR from "swr";
import { Link } from "wouter";
import { micros } from "../format";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { Scatter } from "./Scatter";
import type { Found } from "./search";

/** The newest traces of a service as proxies name it: its app and its namespace. */
export function Recent({ app, namespace }: { app: string; namespace: string }) {
  const { t } = useWords();
  const [errors, setErrors] = useState(false);
  const service = `${app}.${namespace}`;
  const asked = new URLSearchParams({ service, limit: "50" });
  if (errors) asked.set("tags", JSON.stringify({ error: "true" }));
  const { data, error } = useSWR<{ traces: Found[] }, Error>(`/api/trace-search?${asked}`);
  return (
    <>
      <div className="heading">
        <label className="switch">
          <input type="checkbox" checked={errors} onChange={(event) => setErrors(event.target.checked)} />{" "}
          {t("traces.errors")}
        </label>
        <Link className="button" href={`/search?${new URLSearchParams({ service })}`}>
          {t("traces.find")}
        </Link>
      </div>
      <Loaded data={data?.traces} error={error}>
        {(found) =>
          found.length === 0 ? (
            <p className="waiting">{t("traces.none")}</p>
          ) : (
            <>
              <Scatter traces={found} />
              <Results traces={found} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

interface Props {
  traces: Found[];
  chosen?: string[];
  onChoose?: (id: string) => void;
}

/** Traces, a line for each; with `onChoose` some of them can be chosen. */
export function Results({ traces, chosen = [], onChoose }: Props) {
  const { t, language } = useWords();
  const longest = Math.max(...traces.map((each) => each.duration), 1);
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <ul className="traces framed">
      {traces.map((each) => {
        const name = `${each.service} ${each.operation}`;
        return (
          <li key={each.id}>
            {onChoose && (
              <input
                type="checkbox"
                checked={chosen.includes(each.id)}
                onChange={() => onChoose(each.id)}
                aria-label={t("traces.choose", { name: `${name} ${each.id.slice(0, 7)}` })}
              />
            )}
            <div className="told">
              <p className="title">
                <Link href={`/trace/${each.id}`}>
                  <strong>{each.service}</strong> {each.operation}
                </Link>
                <code className="quiet">{each.id.slice(0, 7)}</code>
                <b className="duration">{micros(each.duration, t)}</b>
              </p>
              <p className="facts">
                <span>{clock.format(each.start / 1000)}</span>
                <span>{t("traces.spans", { n: each.spans })}</span>
                {each.failed > 0 && <span className="error">{t("traces.failed", { n: each.failed })}</span>}
                {each.services.map((one) => (
                  <span key={one.name} className="with-icon">
                    {one.name} <span className="count">{one.spans}</span>
                  </span>
                ))}
              </p>
              <span className={`length ${each.failed ? "error" : "ok"}`} aria-hidden="true">
                <span style={{ width: `${Math.max(0.4, (100 * each.duration) / longest)}%` }} />
              </span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
