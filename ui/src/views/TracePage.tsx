import { useMemo, useState } from "react";
import useSWR from "swr";
import { Link, useParams } from "wouter";
import { micros } from "../format";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { Comparison } from "../traces/Comparison";
import { has, read, type Told, type Trace } from "../traces/trace";
import { Waterfall } from "../traces/Waterfall";

/** Traces change while their spans still arrive, so they are asked for again, though not often. */
const AGAIN_MS = 10_000;

/** One trace; or two, with "..." between, as Jaeger writes it. */
export function TracePage() {
  const { t } = useWords();
  const { id = "" } = useParams();
  const [one = "", other] = id.split("...");
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/search">{t("nav.traces")}</Link>
      </p>
      {other ? <Comparison one={one} other={other} /> : <Single id={one} />}
    </div>
  );
}

/** The trace of an id, which may be a request's. */
export function useTrace(id: string) {
  const path = id ? `/api/jaeger/api/traces/${encodeURIComponent(id)}` : null;
  const { data, error } = useSWR<{ data: Told[] }, Error>(path, { refreshInterval: AGAIN_MS });
  const told = data?.data[0];
  return { trace: useMemo(() => told && read(told), [told]), error };
}

function Single({ id }: { id: string }) {
  const { trace, error } = useTrace(id);
  return (
    <Loaded data={trace} error={error}>
      {(found) => <Whole trace={found} />}
    </Loaded>
  );
}

function Whole({ trace }: { trace: Trace }) {
  const { t, language } = useWords();
  const [text, setText] = useState("");
  const root = trace.spans[0];
  const failed = trace.spans.filter((each) => each.failed).length;
  const marked = useMemo(
    () => (text ? new Set(trace.spans.filter((each) => has(each, text)).map((each) => each.id)) : null),
    [trace, text],
  );
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <>
      <div className="heading">
        <h1>
          {root?.service} <span className="quiet">{root?.operation}</span>
        </h1>
        <a className="button" href={`/api/jaeger/api/traces/${trace.id}`}>
          {t("trace.json")}
        </a>
      </div>
      <p className="facts">
        <code>{trace.id}</code>
        <span>{clock.format(trace.start / 1000)}</span>
        <span>{micros(trace.duration, t)}</span>
        <span>{t("traces.spans", { n: trace.spans.length })}</span>
        <span>{t("trace.services", { n: trace.services.length })}</span>
        <span>{t("trace.depth", { n: Math.max(...trace.spans.map((each) => each.depth)) + 1 })}</span>
        {failed > 0 && <span className="error">{t("traces.failed", { n: failed })}</span>}
      </p>
      <Waterfall key={trace.id} trace={trace} marked={marked}>
        <label>
          <span className="hidden">{t("trace.highlight")}</span>
          <input
            type="search"
            placeholder={t("trace.highlight")}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        {marked && <output className="quiet">{t("trace.highlighted", { n: marked.size })}</output>}
      </Waterfall>
    </>
  );
}
