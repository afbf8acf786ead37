import { type FormEvent, useMemo, useState } from "react";
import useSWR from "swr";
import { Link, useLocation, useSearchParams } from "wouter";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { Results } from "../traces/Results";
import { Scatter } from "../traces/Scatter";
import { SearchForm } from "../traces/SearchForm";
import { type Found, ORDER_NAMES, type Order, query, sorted } from "../traces/search";

interface Answer {
  traces: Found[];
  services: string[];
}

export function TracesPage() {
  const { t } = useWords();
  const [asked] = useSearchParams();
  const [order, setOrder] = useState<Order>("newest");
  const [chosen, setChosen] = useState<string[]>([]);
  const text = asked.toString();
  // The window ends when one looks: it moves on with each question, not with each drawing.
  const wanted = useMemo(() => query(new URLSearchParams(text), Date.now()), [text]);
  const { data, error } = useSWR<Answer, Error>(`/api/trace-search?${wanted}`);
  const shown = data && sorted(data.traces, order);
  const choose = (id: string) =>
    setChosen((before) => (before.includes(id) ? before.filter((each) => each !== id) : [...before, id].slice(-2)));
  return (
    <div className="page wide">
      <div className="heading">
        <h1>{t("nav.traces")}</h1>
        <OpenById />
      </div>
      <SearchForm key={text} asked={asked} services={data?.services ?? []} />
      <Loaded data={shown} error={error}>
        {(found) =>
          found.length === 0 ? (
            <Nothing any={Boolean(data?.services.length)} />
          ) : (
            <>
              <Scatter traces={found} />
              <div className="heading results">
                <h2>{t("traces.found", { n: found.length })}</h2>
                {chosen.length === 2 ? (
                  <Link className="button primary" href={`/trace/${chosen.join("...")}`}>
                    {t("traces.compare")}
                  </Link>
                ) : (
                  <span className="quiet">{t("traces.compareHint")}</span>
                )}
                <label>
                  <span className="hidden">{t("traces.sort")}</span>
                  <select value={order} onChange={(event) => setOrder(event.target.value as Order)}>
                    {ORDER_NAMES.map((each) => (
                      <option key={each} value={each}>
                        {t(`traces.sort.${each}`)}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
              <Results traces={found} chosen={chosen} onChoose={choose} />
            </>
          )
        }
      </Loaded>
    </div>
  );
}

function OpenById() {
  const { t } = useWords();
  const [, go] = useLocation();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const id = String(new FormData(event.currentTarget).get("id") ?? "").trim();
    if (id) go(`/trace/${encodeURIComponent(id)}`);
  };
  return (
    <form className="by-id" onSubmit={submit}>
      <label>
        <span className="hidden">{t("traces.byId")}</span>
        <input name="id" placeholder={t("traces.byId")} size={26} spellCheck={false} />
      </label>
      <button type="submit">{t("traces.open")}</button>
    </form>
  );
}

function Nothing({ any }: { any: boolean }) {
  const { t } = useWords();
  if (any) return <p className="waiting">{t("traces.none")}</p>;
  return (
    <div className="notice">
      <p>{t("traces.start")}</p>
      <pre>
        <code>
          {[
            "kubectl apply -f - <<END",
            "apiVersion: telemetry.istio.io/v1",
            "kind: Telemetry",
            "metadata: {name: tracing, namespace: istio-system}",
            "spec: {tracing: [{providers: [{name: semafor}], randomSamplingPercentage: 100}]}",
            "END",
          ].join("\n")}
        </code>
      </pre>
    </div>
  );
}
