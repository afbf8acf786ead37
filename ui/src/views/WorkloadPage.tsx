import useSWR from "swr";
import { Link, useParams } from "wouter";
import type { Pod, WorkloadDetail } from "../api";
import { Charts } from "../charts/Charts";
import { useWords } from "../i18n";
import { Access } from "../parts/Access";
import { EnvoyView } from "../parts/EnvoyView";
import { Icon } from "../parts/Icon";
import { Loaded } from "../parts/Loaded";
import { Logs } from "../parts/Output";
import { Rules } from "../parts/RuleTable";
import { Tabs } from "../parts/Tabs";
import { Recent } from "../traces/Results";
import { HealthWord } from "./WorkloadsPage";

export function WorkloadPage() {
  const { t } = useWords();
  const { namespace = "", name = "" } = useParams();
  const { data, error } = useSWR<WorkloadDetail, Error>(`/api/workloads/${namespace}/${name}`);
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
              <Link href={`/graph?namespaces=${workload.namespace}&view=workload&find=${workload.name}`}>
                {workload.namespace}
              </Link>
              <span>
                {t("workload.app")} <Link href={`/apps/${workload.namespace}/${workload.app}`}>{workload.app}</Link>,{" "}
                {t("workload.version")} {workload.version}
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
            <Parts workload={workload} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Parts({ workload }: { workload: WorkloadDetail }) {
  const { t } = useWords();
  const meshed = workload.pods.filter((pod) => pod.proxy);
  return (
    <Tabs
      tabs={[
        ["traffic", t("chart.traffic")],
        ["pods", t("workload.pods")],
        ["traces", t("nav.traces")],
        ["rules", t("nav.config")],
        ["access", t("access.title")],
        ["logs", t("workload.logs")],
        ["envoy", t("workload.envoy")],
      ]}
    >
      {(tab) => <Content tab={tab} workload={workload} meshed={meshed} />}
    </Tabs>
  );
}

type Tab = "traffic" | "pods" | "traces" | "rules" | "access" | "logs" | "envoy";

function Content({ tab, workload, meshed }: { tab: Tab; workload: WorkloadDetail; meshed: Pod[] }) {
  switch (tab) {
    case "traffic":
      return <Charts of="workload" namespace={workload.namespace} name={workload.name} />;
    case "pods":
      return <Pods pods={workload.pods} />;
    case "traces":
      return <Recent app={workload.app} namespace={workload.namespace} />;
    case "rules":
      return <Rules rules={workload.rules} />;
    case "access":
      return <Access namespace={workload.namespace} pods={meshed} />;
    case "logs":
      return <Logs namespace={workload.namespace} pods={workload.pods} />;
    case "envoy":
      return <EnvoyView namespace={workload.namespace} pods={meshed} />;
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
