import { type KeyboardEvent, useState } from "react";
import useSWR from "swr";
import { Link, useParams } from "wouter";
import { type Pod, text, type WorkloadDetail } from "../api";
import { Charts } from "../charts/Charts";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { Loaded } from "../parts/Loaded";
import { RuleTable } from "../parts/RuleTable";
import { HealthWord } from "./WorkloadsPage";

const TABS = ["traffic", "pods", "rules", "logs", "envoy"] as const;
type Tab = (typeof TABS)[number];
const ENVOY_VIEWS = ["clusters", "listeners", "certs", "stats", "server_info", "memory", "config_dump"];

export function WorkloadPage() {
  const { t } = useWords();
  const { namespace = "", name = "" } = useParams();
  const { data, error } = useSWR<WorkloadDetail, Error>(`/api/workloads/${namespace}/${name}`);
  const [tab, setTab] = useState<Tab>("traffic");
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/workloads">{t("nav.workloads")}</Link>
      </p>
      <Loaded data={data} error={error}>
        {(workload) => (
          <>
            <div className="heading">
              <h1>
                {workload.name} <span className="quiet">{workload.kind}</span>
              </h1>
              <HealthWord workload={workload} />
            </div>
            <p className="facts">
              <span>{workload.namespace}</span>
              <span>
                {t("workload.app")} {workload.app}, {t("workload.version")} {workload.version}
              </span>
              {workload.services.map((each) => (
                <Link key={each} href={`/services/${workload.namespace}/${each}`}>
                  {each}
                </Link>
              ))}
              {!workload.meshed && (
                <span className="with-icon warning">
                  <Icon name="no-sidecar" size={13} /> {t("badge.no-sidecar")}
                </span>
              )}
            </p>
            <Tabs tab={tab} onTab={setTab} />
            <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`}>
              <Content tab={tab} workload={workload} />
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

function Tabs({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  const { t } = useWords();
  const names: Record<Tab, string> = {
    traffic: t("chart.traffic"),
    pods: t("workload.pods"),
    rules: t("nav.config"),
    logs: t("workload.logs"),
    envoy: t("workload.envoy"),
  };
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
    if (!step || !next) return;
    onTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div role="tablist" className="tabs">
      {TABS.map((each) => (
        <button
          key={each}
          id={`tab-${each}`}
          type="button"
          role="tab"
          aria-selected={tab === each}
          aria-controls={tab === each ? `panel-${each}` : undefined}
          tabIndex={tab === each ? 0 : -1}
          onClick={() => onTab(each)}
          onKeyDown={move}
        >
          {names[each]}
        </button>
      ))}
    </div>
  );
}

function Content({ tab, workload }: { tab: Tab; workload: WorkloadDetail }) {
  const { t } = useWords();
  const meshed = workload.pods.filter((pod) => pod.proxy);
  switch (tab) {
    case "traffic":
      return <Charts of="workload" namespace={workload.namespace} name={workload.name} />;
    case "pods":
      return <Pods pods={workload.pods} />;
    case "rules":
      return workload.rules.length ? (
        <RuleTable rules={workload.rules} />
      ) : (
        <p className="waiting">{t("workload.noRules")}</p>
      );
    case "logs":
      return <Output namespace={workload.namespace} pods={workload.pods} of="logs" choices={(pod) => pod.containers} />;
    case "envoy":
      return <Output namespace={workload.namespace} pods={meshed} of="envoy" choices={() => ENVOY_VIEWS} />;
  }
}

function Pods({ pods }: { pods: Pod[] }) {
  const { t } = useWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table framed" aria-label={t("workload.pods")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("config.name")}</th>
            <th>{t("workload.health")}</th>
            <th className="figure">{t("workload.restarts")}</th>
            <th>IP</th>
          </tr>
        </thead>
        <tbody>
          {pods.map((pod) => (
            <tr key={pod.name}>
              <td>{pod.name}</td>
              <td>
                <span className="with-icon">
                  <span className={`mark ${pod.ready ? "ok" : "warning"}`} aria-hidden="true" />
                  {pod.ready ? t("workload.ready") : pod.waiting || pod.phase}
                </span>
              </td>
              <td className="figure">{pod.restarts}</td>
              <td>{pod.ip}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface OutputProps {
  namespace: string;
  pods: Pod[];
  of: "logs" | "envoy";
  choices: (pod: Pod) => string[];
}

/** A text of a pod's: a container's log, or what Envoy says. */
function Output({ namespace, pods, of, choices }: OutputProps) {
  const { t } = useWords();
  const [chosen, setChosen] = useState("");
  const [part, setPart] = useState("");
  const [filter, setFilter] = useState("");
  const pod = pods.find((each) => each.name === chosen) ?? pods[0];
  const parts = pod ? choices(pod) : [];
  const shown = parts.includes(part) ? part : parts[0];
  const path = pod && shown ? `/api/${of}/${namespace}/${pod.name}/${shown}` : null;
  const { data, error, mutate } = useSWR<string, Error>(path, text, { refreshInterval: of === "logs" ? 5000 : 0 });
  const lines = (data ?? "").split("\n").filter((line) => line.includes(filter));
  return (
    <>
      <div className="filters">
        <label>
          <span>{t("workload.pod")}</span>
          <select value={pod?.name} onChange={(event) => setChosen(event.target.value)}>
            {pods.map((each) => (
              <option key={each.name}>{each.name}</option>
            ))}
          </select>
        </label>
        <label>
          <span>{t(of === "logs" ? "workload.container" : "workload.view")}</span>
          <select value={shown} onChange={(event) => setPart(event.target.value)}>
            {parts.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("workload.filter")}</span>
          <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </label>
        <button type="button" onClick={() => mutate()}>
          {t("workload.refresh")}
        </button>
      </div>
      {error && <p className="notice error">{error.message}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className="output" tabIndex={0}>
        {lines.join("\n").trim() || t("workload.empty")}
      </pre>
    </>
  );
}
