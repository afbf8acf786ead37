import { useState } from "react";
import useSWR from "swr";
import type { Pod } from "../api";
import { useWords } from "../i18n";
import { Loaded } from "./Loaded";
import { PodSelect, Text } from "./Output";

const TABLES = ["clusters", "endpoints", "listeners", "routes", "secrets"];
const TEXTS = ["stats", "server_info", "memory", "certs", "config_dump"];
/** More rows than anybody reads: who looks for one narrows them. */
const MOST_ROWS = 300;

interface Table {
  header: string[];
  rows: string[][];
}

/** What a pod's Envoy has, from its own mouth: the tables of `semafor proxy-config`, and texts of its admin interface. */
export function EnvoyView({ namespace, pods }: { namespace: string; pods: Pod[] }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState("");
  const [part, setPart] = useState("clusters");
  const [filter, setFilter] = useState("");
  const pod = pods.find((each) => each.name === chosen) ?? pods[0];
  if (!pod) return <p className="waiting">{t("badge.no-sidecar")}</p>;
  return (
    <>
      <div className="filters">
        <PodSelect pods={pods} value={pod.name} onChange={setChosen} />
        <label>
          <span>{t("workload.view")}</span>
          <select value={part} onChange={(event) => setPart(event.target.value)}>
            {[...TABLES, ...TEXTS].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("workload.filter")}</span>
          <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </label>
      </div>
      {TABLES.includes(part) ? (
        <Rows path={`/api/questions/semafor/v1/proxies/${namespace}/${pod.name}/tables/${part}`} filter={filter} />
      ) : (
        <Text path={`/api/envoy/${namespace}/${pod.name}/${part}`} filter={filter} again={0} />
      )}
    </>
  );
}

function Rows({ path, filter }: { path: string; filter: string }) {
  const { t } = useWords();
  const { data, error } = useSWR<Table, Error>(path, { refreshInterval: 0, keepPreviousData: false });
  const wanted = filter.toLowerCase();
  const rows = data?.rows.filter((row) => row.join(" ").toLowerCase().includes(wanted));
  return (
    <Loaded data={rows} error={error}>
      {(found) => (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <section className="table framed envoy" aria-label={t("workload.envoy")} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  {data?.header.map((each) => (
                    <th key={each}>{each}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {found.slice(0, MOST_ROWS).map((row, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: Envoy's rows may be alike
                  <tr key={place}>
                    {row.map((cell, column) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: columns stay where they are
                      <td key={column}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <p className="quiet count">
            {found.length > MOST_ROWS
              ? t("envoy.some", { shown: MOST_ROWS, n: found.length })
              : t("envoy.rows", { n: found.length })}
          </p>
        </>
      )}
    </Loaded>
  );
}
