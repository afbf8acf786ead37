import useSWR from "swr";
import { Link, useParams } from "wouter";
import type { ServiceDetail } from "../api";
import { Charts } from "../charts/Charts";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { RuleTable } from "../parts/RuleTable";
import { HealthWord } from "./WorkloadsPage";

export function ServicePage() {
  const { t } = useWords();
  const { namespace = "", name = "" } = useParams();
  const { data, error } = useSWR<ServiceDetail, Error>(`/api/mesh/services/${namespace}/${name}`);
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
              <span>{service.namespace}</span>
              <span>{service.type}</span>
              <span>{service.ip}</span>
              <span>{service.ports.map((port) => `${port.port} ${port.name}`).join(", ")}</span>
            </p>
            <Charts of="service" namespace={namespace} name={name} />
            <section>
              <h2>{t("workload.behind")}</h2>
              <ul className="workloads framed">
                {service.workloads.map((each) => (
                  <li key={each.name}>
                    <Link className="name" href={`/workloads/${each.namespace}/${each.name}`}>
                      {each.name}
                    </Link>
                    <HealthWord workload={each} />
                    <span className="count">
                      {each.ready}/{each.wanted}
                    </span>
                  </li>
                ))}
              </ul>
            </section>
            <section>
              <h2>{t("workload.rules")}</h2>
              {service.rules.length ? <RuleTable rules={service.rules} /> : <p>{t("workload.noRules")}</p>}
            </section>
          </>
        )}
      </Loaded>
    </div>
  );
}
