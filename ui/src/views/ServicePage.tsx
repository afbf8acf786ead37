import useSWR from "swr";
import { Link, useParams } from "wouter";
import type { Pod, ServiceDetail } from "../api";
import { Charts } from "../charts/Charts";
import { useWords } from "../i18n";
import { Access } from "../parts/Access";
import { EnvoyView } from "../parts/EnvoyView";
import { Loaded } from "../parts/Loaded";
import { Logs } from "../parts/Output";
import { Rules } from "../parts/RuleTable";
import { Tabs } from "../parts/Tabs";
import { Recent } from "../traces/Results";
import { Versions } from "./AppPage";

type Detail = ServiceDetail & { pods: Pod[] };

export function ServicePage() {
  const { t } = useWords();
  const { namespace = "", name = "" } = useParams();
  const { data, error } = useSWR<Detail, Error>(`/api/mesh/services/${namespace}/${name}`);
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/workloads">{t("list.services")}</Link>
      </p>
      <Loaded data={data} error={error}>
        {(service) => (
          <>
            <div className="heading">
              <h1>
                {service.name} <span className="quiet">Service</span>
              </h1>
              <Link className="button" href={`/wizards?service=${service.namespace}/${service.name}`}>
                {t("wizard.title")}
              </Link>
            </div>
            <p className="facts">
              <Link href={`/graph?namespaces=${namespace}&view=service&find=${name}`}>{service.namespace}</Link>
              <span>{service.type}</span>
              <span>{service.ip}</span>
              <span>{service.ports.map((port) => `${port.port} ${port.name}`).join(", ")}</span>
            </p>
            <Parts service={service} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Parts({ service }: { service: Detail }) {
  const { t } = useWords();
  const { namespace, name } = service;
  const meshed = service.pods.filter((pod) => pod.proxy);
  const app = service.workloads[0]?.app ?? name;
  return (
    <Tabs
      tabs={[
        ["traffic", t("chart.traffic")],
        ["behind", t("workload.behind")],
        ["traces", t("nav.traces")],
        ["rules", t("nav.config")],
        ["access", t("access.title")],
        ["logs", t("workload.logs")],
        ["envoy", t("workload.envoy")],
      ]}
    >
      {(tab) => {
        switch (tab) {
          case "traffic":
            return <Charts of="service" namespace={namespace} name={name} />;
          case "behind":
            return service.workloads.length ? (
              <Versions workloads={service.workloads} />
            ) : (
              <p className="waiting">{t("service.nobody")}</p>
            );
          case "traces":
            return <Recent app={app} namespace={namespace} />;
          case "rules":
            return <Rules rules={service.rules} />;
          case "access":
            return <Access namespace={namespace} pods={meshed} />;
          case "logs":
            return <Logs namespace={namespace} pods={service.pods} />;
          case "envoy":
            return <EnvoyView namespace={namespace} pods={meshed} />;
        }
      }}
    </Tabs>
  );
}
