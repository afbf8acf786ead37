import { useState } from "react";
import useSWR from "swr";
import { type Pod, text } from "../api";
import { useWords } from "../i18n";

export function PodSelect({ pods, value, onChange }: { pods: Pod[]; value: string; onChange: (name: string) => void }) {
  const { t } = useWords();
  return (
    <label>
      <span>{t("workload.pod")}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {pods.map((each) => (
          <option key={each.name}>{each.name}</option>
        ))}
      </select>
    </label>
  );
}

/** The log of a container, its newest lines. Lines with the id of a request lead to its trace. */
export function Logs({ namespace, pods }: { namespace: string; pods: Pod[] }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState("");
  const [part, setPart] = useState("");
  const [filter, setFilter] = useState("");
  const pod = pods.find((each) => each.name === chosen) ?? pods[0];
  const parts = pod?.containers ?? [];
  const shown = parts.includes(part) ? part : parts[0];
  const path = pod && shown ? `/api/logs/${namespace}/${pod.name}/${shown}` : null;
  return (
    <>
      <div className="filters">
        <PodSelect pods={pods} value={pod?.name ?? ""} onChange={setChosen} />
        <label>
          <span>{t("workload.container")}</span>
          <select value={shown} onChange={(event) => setPart(event.target.value)}>
            {parts.map((each) => (
              <option key={each} value={each}>
                {each === "istio-proxy" ? t("logs.access", { name: each }) : each}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("workload.filter")}</span>
          <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </label>
      </div>
      {path && <Text path={path} filter={filter} again={5000} />}
    </>
  );
}

interface TextProps {
  path: string;
  filter: string;
  /** After how many milliseconds it is asked for again; 0 is never. */
  again: number;
}

/** A text as it comes, as far as its lines have what is looked for. */
export function Text({ path, filter, again }: TextProps) {
  const { t } = useWords();
  const { data, error, mutate } = useSWR<string, Error>(path, text, { refreshInterval: again });
  const lines = (data ?? "").split("\n").filter((line) => line.toLowerCase().includes(filter.toLowerCase()));
  return (
    <>
      {error && <p className="notice error">{error.message}</p>}
      <div className="output-tools">
        <button type="button" className="link" onClick={() => mutate()}>
          {t("workload.refresh")}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className="output" tabIndex={0}>
        {lines.join("\n").trim() || t("workload.empty")}
      </pre>
    </>
  );
}
