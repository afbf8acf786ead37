import { useState } from "react";
import useSWR from "swr";
import { Link } from "wouter";
import type { Service, Workload } from "../api";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { Loaded } from "../parts/Loaded";
import { Search } from "../parts/Search";

/** Everything that runs, and everything that can be called. */
export function WorkloadsPage() {
  const { t } = useWords();
  const workloads = useSWR<{ workloads: Workload[] }, Error>("/api/workloads");
  const services = useSWR<{ services: Service[] }, Error>("/api/mesh/services");
  const [text, setText] = useState("");
  const fits = (each: { namespace: string; name: string }) => `${each.namespace}/${each.name}`.includes(text);
  return (
    <div className="page wide">
      <div className="heading">
        <h1>{t("nav.workloads")}</h1>
        <Search text={text} onChange={setText} />
      </div>
      <Loaded data={workloads.data} error={workloads.error}>
        {(found) => <Workloads workloads={found.workloads.filter(fits)} />}
      </Loaded>
      <h2>{t("list.services")}</h2>
      <Loaded data={services.data} error={services.error}>
        {(found) => <Services services={found.services.filter(fits)} />}
      </Loaded>
    </div>
  );
}

function Workloads({ workloads }: { workloads: Workload[] }) {
  const { t } = useWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table framed" aria-label={t("nav.workloads")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("config.name")}</th>
            <th>{t("config.namespace")}</th>
            <th>{t("workload.app")}</th>
            <th>{t("workload.version")}</th>
            <th>{t("workload.health")}</th>
            <th className="figure">{t("workload.pods")}</th>
          </tr>
        </thead>
        <tbody>
          {workloads.map((each) => (
            <tr key={`${each.namespace}/${each.kind}/${each.name}`}>
              <td>
                <Link href={`/workloads/${each.namespace}/${each.name}`}>{each.name}</Link>{" "}
                {!each.meshed && each.wanted > 0 && <Icon name="no-sidecar" size={13} title={t("badge.no-sidecar")} />}
              </td>
              <td>{each.namespace}</td>
              <td>{each.app}</td>
              <td>{each.version}</td>
              <td>
                <HealthWord workload={each} />
              </td>
              <td className="figure">
                {each.ready}/{each.wanted}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function HealthWord({ workload }: { workload: Workload }) {
  const { t } = useWords();
  return (
    <span className="with-icon">
      <span className={`mark ${workload.health}`} aria-hidden="true" /> {t(`health.${workload.health}`)}
    </span>
  );
}

function Services({ services }: { services: Service[] }) {
  const { t } = useWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table framed" aria-label={t("list.services")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("config.name")}</th>
            <th>{t("config.namespace")}</th>
            <th>{t("service.ports")}</th>
            <th>{t("workload.behind")}</th>
          </tr>
        </thead>
        <tbody>
          {services.map((each) => (
            <tr key={`${each.namespace}/${each.name}`}>
              <td>
                <Link href={`/services/${each.namespace}/${each.name}`}>{each.name}</Link>
              </td>
              <td>{each.namespace}</td>
              <td>{each.ports.map((port) => `${port.port}${port.name ? ` ${port.name}` : ""}`).join(", ")}</td>
              <td>{each.workloads.map((one) => one.name).join(", ") || <span className="quiet">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
