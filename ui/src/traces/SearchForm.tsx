import { type FormEvent, useState } from "react";
import useSWR from "swr";
import { useLocation } from "wouter";
import { useWords } from "../i18n";
import { LIMITS, LOOKBACKS, local, tagsOf } from "./search";
import { tags, written } from "./trace";

interface Props {
  asked: URLSearchParams;
  services: string[];
}

/** What to look for. What is found is told by the address, so that it can be sent to somebody. */
export function SearchForm({ asked, services }: Props) {
  const { t } = useWords();
  const [, go] = useLocation();
  const [service, setService] = useState(asked.get("service") ?? "");
  const [lookback, setLookback] = useState(asked.get("lookback") ?? "1h");
  const [wrong, setWrong] = useState(false);
  const { error: failing, ...named } = tagsOf(asked);
  const [rest, errors] = failing === "true" ? [named, true] : [tagsOf(asked), false];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    const found = tags(given.tags ?? "");
    setWrong(found === null);
    if (found) go(`/search?${address(given, found)}`);
  };
  return (
    <form className="filters search-traces" onSubmit={submit} aria-label={t("nav.traces")}>
      <label>
        <span>{t("traces.service")}</span>
        <select name="service" value={service} onChange={(event) => setService(event.target.value)}>
          <option value="">{t("traces.allServices")}</option>
          {[...new Set([...services, ...(service ? [service] : [])])].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <Operations key={service} service={service} chosen={asked.get("operation") ?? ""} />
      <label className="wide">
        <span>{t("traces.tags")}</span>
        <input name="tags" defaultValue={written(rest)} placeholder={t("traces.tagsHint")} spellCheck={false} />
      </label>
      {(["minDuration", "maxDuration"] as const).map((name) => (
        <label key={name}>
          <span>{t(name === "minDuration" ? "traces.min" : "traces.max")}</span>
          <input
            name={name}
            defaultValue={asked.get(name) ?? ""}
            placeholder={name === "minDuration" ? "250ms" : "1.5s"}
            pattern="(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+"
            title="250ms, 1.5s, 2m30s"
            size={7}
          />
        </label>
      ))}
      <Within asked={asked} lookback={lookback} onLookback={setLookback} />
      <label>
        <span>{t("traces.limit")}</span>
        <select name="limit" defaultValue={asked.get("limit") ?? "20"}>
          {[...new Set([...LIMITS, Number(asked.get("limit")) || 20])].map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label className="switch">
        <input type="checkbox" name="errors" value="1" defaultChecked={errors} />
        {t("traces.errors")}
      </label>
      <button type="submit" className="primary">
        {t("traces.find")}
      </button>
      {wrong && (
        <p className="wrong" role="alert">
          {t("traces.tagsWrong")}
        </p>
      )}
    </form>
  );
}

function address(given: Record<string, string>, found: Record<string, string>): URLSearchParams {
  const told = new URLSearchParams();
  for (const name of ["service", "operation", "minDuration", "maxDuration", "lookback", "limit"]) {
    if (given[name]) told.set(name, given[name]);
  }
  if (given.errors) found.error = "true";
  if (Object.keys(found).length) told.set("tags", JSON.stringify(found));
  for (const name of ["start", "end"]) {
    if (given[name]) told.set(name, String(new Date(given[name]).getTime() * 1000));
  }
  return told;
}

function Operations({ service, chosen }: { service: string; chosen: string }) {
  const { t } = useWords();
  const path = service ? `/api/jaeger/api/services/${encodeURIComponent(service)}/operations` : null;
  const { data } = useSWR<{ data: string[] }, Error>(path);
  const names = [...new Set([...(data?.data ?? []), ...(chosen && service ? [chosen] : [])])];
  return (
    <label>
      <span>{t("traces.operation")}</span>
      <select key={names.length} name="operation" defaultValue={service ? chosen : ""} disabled={!service}>
        <option value="">{t("traces.allOperations")}</option>
        {names.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}

interface WithinProps {
  asked: URLSearchParams;
  lookback: string;
  onLookback: (name: string) => void;
}

function Within({ asked, lookback, onLookback }: WithinProps) {
  const { t } = useWords();
  const known = LOOKBACKS.map(([name]) => name);
  const others = [...known, "any", "custom"].includes(lookback) ? [] : [lookback];
  return (
    <>
      <label>
        <span>{t("traces.within")}</span>
        <select name="lookback" value={lookback} onChange={(event) => onLookback(event.target.value)}>
          {[...known, ...others].map((each) => (
            <option key={each} value={each}>
              {t("traces.last", { time: each.replace(/[smhdw]$/, (unit) => ` ${unit === "m" ? "min" : unit}`) })}
            </option>
          ))}
          <option value="any">{t("traces.any")}</option>
          <option value="custom">{t("traces.custom")}</option>
        </select>
      </label>
      {lookback === "custom" &&
        (["start", "end"] as const).map((name) => (
          <label key={name}>
            <span>{t(name === "start" ? "traces.from" : "traces.until")}</span>
            <input
              type="datetime-local"
              name={name}
              defaultValue={Number(asked.get(name)) ? local(Number(asked.get(name))) : ""}
            />
          </label>
        ))}
    </>
  );
}
