import { useState } from "react";
import useSWR from "swr";
import { Link } from "wouter";
import type { Workload } from "../api";
import { size, span } from "../format";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { Search } from "../parts/Search";

interface Proxy {
  namespace: string;
  pod: string;
  workload: string;
  role: string;
  connected: boolean;
  behind: number;
  types: Record<string, string>;
  /** Seconds since 1970. */
  expires: number | null;
}

interface Status {
  version: string;
  proxies: Proxy[];
  without: Workload[];
  authority: {
    phase?: string;
    problem?: string | null;
    signer?: { subject: string; until: string; source: string };
    trusted?: { id: string; subject: string; until: string }[];
  };
  figures: Record<string, number>;
}

const DAY_S = 86_400;

/** How the mesh itself does: the control plane, who signs, and every proxy. */
export function MeshPage() {
  const { t } = useWords();
  const { data, error } = useSWR<Status, Error>("/api/mesh/status");
  return (
    <div className="page wide">
      <h1>{t("nav.mesh")}</h1>
      <Loaded data={data} error={error}>
        {(status) => (
          <>
            <div className="cards fit">
              <ControlPlane status={status} />
              <Authority authority={status.authority} />
              <Stores figures={status.figures} />
            </div>
            <Proxies proxies={status.proxies} />
            {status.without.length > 0 && <Without workloads={status.without} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

function ControlPlane({ status }: { status: Status }) {
  const { t } = useWords();
  const { figures, proxies } = status;
  const current = proxies.filter((each) => each.connected && !each.behind).length;
  const state = current === proxies.length ? "ok" : "warning";
  const lived = figures.started ? Date.now() / 1000 - figures.started : 0;
  return (
    <article className="card status">
      <h2 className="with-icon">
        <span className={`mark ${state}`} aria-hidden="true" /> {t("overview.control")}
      </h2>
      <dl className="facts-list">
        <Fact name={t("workload.version")} told={status.version} />
        <Fact name={t("mesh.synced")} told={`${current} / ${proxies.length}`} />
        {lived > 0 && <Fact name={t("mesh.lived")} told={span(lived, t)} />}
        {lived > 0 && <Fact name={t("mesh.memory")} told={size(figures.resident_bytes ?? 0)} />}
        {lived > 0 && (
          <Fact name={t("mesh.cpu")} told={`${((100 * (figures.cpu_seconds ?? 0)) / lived).toFixed(1)}%`} />
        )}
      </dl>
    </article>
  );
}

function Authority({ authority }: { authority: Status["authority"] }) {
  const { t } = useWords();
  if (!authority.signer) return null;
  const soon = Date.parse(authority.signer.until) / 1000 - Date.now() / 1000 < 30 * DAY_S;
  return (
    <article className="card status">
      <h2 className="with-icon">
        <span className={`mark ${authority.problem ? "error" : soon ? "warning" : "ok"}`} aria-hidden="true" />{" "}
        {t("mesh.authority")}
      </h2>
      {authority.problem && <p className="error">{authority.problem}</p>}
      <dl className="facts-list">
        <Fact name={t("mesh.signer")} told={authority.signer.subject} />
        <Fact name={t("mesh.until")} told={authority.signer.until} />
        <Fact name={t("mesh.phase")} told={authority.phase ?? ""} />
        <Fact name={t("mesh.roots")} told={String(authority.trusted?.length ?? 0)} />
      </dl>
    </article>
  );
}

function Stores({ figures }: { figures: Record<string, number> }) {
  const { t } = useWords();
  const series = figures.semafor_series;
  if (series === undefined) return null;
  const lost = (figures.semafor_series_refused_total ?? 0) + (figures.traces_dropped ?? 0);
  const down = figures.targets_down ?? 0;
  return (
    <article className="card status">
      <h2 className="with-icon">
        <span className={`mark ${lost || down ? "warning" : "ok"}`} aria-hidden="true" /> {t("mesh.telemetry")}
      </h2>
      <dl className="facts-list">
        <Fact name={t("mesh.series")} told={`${series} / ${figures.semafor_series_limit ?? "–"}`} />
        <Fact name={t("mesh.seriesMemory")} told={size(figures.semafor_series_bytes ?? 0)} />
        <Fact name={t("mesh.refused")} told={String(figures.semafor_series_refused_total ?? 0)} />
        <Fact name={t("mesh.down")} told={String(down)} />
        <Fact name={t("mesh.spans")} told={`${figures.traces_kept ?? 0}, ${figures.traces_dropped ?? 0}`} />
      </dl>
    </article>
  );
}

function Fact({ name, told }: { name: string; told: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{told}</dd>
    </div>
  );
}

function Proxies({ proxies }: { proxies: Proxy[] }) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const shown = proxies.filter((each) => `${each.namespace}/${each.pod}`.includes(text));
  const types = ["CDS", "LDS", "EDS", "RDS", "ECDS"].filter((name) => proxies.some((each) => name in each.types));
  return (
    <section>
      <div className="heading">
        <h2>{t("mesh.proxies")}</h2>
        <Search text={text} onChange={setText} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="table framed" aria-label={t("mesh.proxies")} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t("workload.pod")}</th>
              <th>{t("config.namespace")}</th>
              <th>{t("config.kind")}</th>
              <th>{t("config.state")}</th>
              {types.map((name) => (
                <th key={name}>{name}</th>
              ))}
              <th>{t("mesh.certificate")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={`${each.namespace}/${each.pod}`}>
                <td>
                  <Link href={`/workloads/${each.namespace}/${each.workload}?tab=envoy`}>{each.pod}</Link>
                </td>
                <td>{each.namespace}</td>
                <td>{each.role}</td>
                <td>
                  <State proxy={each} />
                </td>
                {types.map((name) => (
                  <td key={name} className="quiet">
                    {each.types[name] ?? "–"}
                  </td>
                ))}
                <td>
                  <Expiry at={each.expires} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function State({ proxy }: { proxy: Proxy }) {
  const { t } = useWords();
  const [mark, told] = !proxy.connected
    ? ["error", t("mesh.gone")]
    : proxy.behind
      ? ["warning", t("overview.behind", { n: 1 })]
      : ["ok", t("mesh.insync")];
  return (
    <span className="with-icon">
      <span className={`mark ${mark}`} aria-hidden="true" /> {told}
    </span>
  );
}

function Expiry({ at }: { at: number | null }) {
  const { t, language } = useWords();
  if (at === null) return <span className="quiet">–</span>;
  const left = at - Date.now() / 1000;
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" });
  if (left <= 0) return <span className="error">{t("mesh.expired")}</span>;
  return (
    <span className={left < 600 ? "warning" : ""} title={clock.format(at * 1000)}>
      {t("mesh.left", { time: span(left, t) })}
    </span>
  );
}

function Without({ workloads }: { workloads: Workload[] }) {
  const { t } = useWords();
  return (
    <section>
      <h2>{t("badge.no-sidecar")}</h2>
      <ul className="workloads framed">
        {workloads.map((each) => (
          <li key={`${each.namespace}/${each.name}`}>
            <Link className="name" href={`/workloads/${each.namespace}/${each.name}`}>
              {each.namespace}/{each.name}
            </Link>
            <span className="count">
              {each.ready}/{each.wanted}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
