import useSWR from "swr";
import { Link, useParams } from "wouter";
import type { Pod, Rule, Workload } from "../api";
import { Charts } from "../charts/Charts";
import { useWords } from "../i18n";
import { Access } from "../parts/Access";
import { Loaded } from "../parts/Loaded";
import { Logs } from "../parts/Output";
import { Rules } from "../parts/RuleTable";
import { Tabs } from "../parts/Tabs";
import { Recent } from "../traces/Results";
import { HealthWord } from "./WorkloadsPage";

interface App {
  namespace: string;
  name: string;
  workloads: Workload[];
  services: string[];
  pods: Pod[];
  rules: Rule[];
}

/** An app: all its versions together. */
export function AppPage() {
  const { t } = useWords();
  const { namespace = "", name = "" } = useParams();
  const { data, error } = useSWR<App, Error>(`/api/apps/${namespace}/${name}`);
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/workloads">{t("nav.workloads")}</Link>
      </p>
      <Loaded data={data} error={error}>
        {(app) => (
          <>
            <h1>
              {app.name} <span className="quiet">{t("workload.app")}</span>
            </h1>
            <p className="facts">
              <Link href={`/graph?namespaces=${namespace}&view=app&find=${name}`}>{namespace}</Link>
              {app.services.map((each) => (
                <Link key={each} href={`/services/${namespace}/${each}`}>
                  {t("graph.service", { name: each })}
                </Link>
              ))}
            </p>
            <Parts app={app} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Parts({ app }: { app: App }) {
  const { t } = useWords();
  return (
    <Tabs
      tabs={[
        ["traffic", t("chart.traffic")],
        ["versions", t("graph.view.versioned")],
        ["traces", t("nav.traces")],
        ["rules", t("nav.config")],
        ["access", t("access.title")],
        ["logs", t("workload.logs")],
      ]}
    >
      {(tab) => {
        switch (tab) {
          case "traffic":
            return <Charts of="app" namespace={app.namespace} name={app.name} />;
          case "versions":
            return <Versions workloads={app.workloads} />;
          case "traces":
            return <Recent app={app.name} namespace={app.namespace} />;
          case "rules":
            return <Rules rules={app.rules} />;
          case "access":
            return <Access namespace={app.namespace} pods={app.pods.filter((pod) => pod.proxy)} />;
          case "logs":
            return <Logs namespace={app.namespace} pods={app.pods} />;
        }
      }}
    </Tabs>
  );
}

export function Versions({ workloads }: { workloads: Workload[] }) {
  return (
    <ul className="workloads framed">
      {workloads.map((each) => (
        <li key={each.name}>
          <Link className="name" href={`/workloads/${each.namespace}/${each.name}`}>
            {each.name} <span className="quiet">{each.version}</span>
          </Link>
          <HealthWord workload={each} />
          <span className="count">
            {each.ready}/{each.wanted}
          </span>
        </li>
      ))}
    </ul>
  );
}
