import useSWR from "swr";
import { Link } from "wouter";
import type { Namespace, Overview, Problem, Severity, Workload } from "../api";
import { rate, share, verdict } from "../format";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { Loaded } from "../parts/Loaded";
import { ProblemList } from "../parts/ProblemList";

export function OverviewPage() {
  const { t } = useWords();
  const { data, error } = useSWR<Overview, Error>("/api/overview");
  const problems = useSWR<{ problems: Problem[] }, Error>("/api/problems");
  return (
    <div className="page">
      <h1>{t("nav.overview")}</h1>
      <Loaded data={data} error={error}>
        {(overview) => (
          <>
            <ControlPlane control={overview.control} />
            <Namespaces namespaces={overview.namespaces} />
            {problems.data && problems.data.problems.length > 0 && (
              <section aria-labelledby="problems">
                <h2 id="problems">{t("overview.problems")}</h2>
                <ProblemList problems={problems.data.problems} />
              </section>
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function ControlPlane({ control }: { control: Overview["control"] }) {
  const { t } = useWords();
  const behind = control.proxies - control.current;
  const state = behind > 0 ? "warning" : "ok";
  return (
    <section className="strip" aria-label={t("overview.control")}>
      <span className={`mark ${state}`} aria-hidden="true" />
      <div>
        <strong>{t("overview.control")}</strong> {control.version}
      </div>
      <div>
        {t("overview.proxies", { n: control.connected })},{" "}
        {behind > 0 ? t("overview.behind", { n: behind }) : t("overview.current")}
      </div>
      <Severities counts={control.problems} />
    </section>
  );
}

function Severities({ counts }: { counts: Partial<Record<Severity, number>> }) {
  const { t } = useWords();
  const severities: Severity[] = ["error", "warning", "info"];
  const some = severities.filter((each) => counts[each]);
  if (!some.length) return <div className="quiet">{t("overview.noProblems")}</div>;
  return (
    <div className="chips">
      {some.map((each) => (
        <span key={each} className={`chip ${each}`}>
          {t(`severity.${each}`, { n: counts[each] ?? 0 })}
        </span>
      ))}
    </div>
  );
}

function Namespaces({ namespaces }: { namespaces: Namespace[] }) {
  const { t } = useWords();
  const used = namespaces.filter((each) => each.workloads.length > 0 || each.injected);
  const own = used.filter((each) => each.workloads.some((one) => !one.proxy));
  const empty = namespaces.length - used.length;
  return (
    <section aria-labelledby="namespaces">
      <h2 id="namespaces">{t("overview.namespaces")}</h2>
      {own.length === 0 && <Start />}
      <div className="cards">
        {used.map((each) => (
          <NamespaceCard key={each.name} namespace={each} />
        ))}
      </div>
      {empty > 0 && <p className="quiet">{t("overview.empty", { n: empty })}</p>}
    </section>
  );
}

function Start() {
  const { t } = useWords();
  return (
    <div className="notice">
      <p>{t("overview.start")}</p>
      <pre>
        <code>{"kubectl label namespace default istio-injection=enabled\nkubectl apply -f ..."}</code>
      </pre>
    </div>
  );
}

function NamespaceCard({ namespace }: { namespace: Namespace }) {
  const { t } = useWords();
  return (
    <article className="card namespace">
      <header>
        <h3>
          <Link href={`/graph?namespaces=${namespace.name}`}>{namespace.name}</Link>
        </h3>
        <Severities counts={namespace.problems} />
      </header>
      <p className="facts">
        <span>{t(standing(namespace))}</span>
        {namespace.rate > 0 ? <span>{rate(namespace.rate, t)}</span> : <span>{t("overview.quiet")}</span>}
        {namespace.failed > 0 && (
          <span className={verdict(namespace.failed)}>{t("overview.errors", { share: share(namespace.failed) })}</span>
        )}
        {namespace.secure !== null && (
          <span className="with-icon">
            <Icon name="lock" size={13} /> {t("overview.mtls")} {share(namespace.secure)}
          </span>
        )}
      </p>
      <ul className="workloads">
        {namespace.workloads.map((each) => (
          <WorkloadLine key={`${each.kind}/${each.name}`} workload={each} />
        ))}
      </ul>
    </article>
  );
}

function standing(namespace: Namespace) {
  if (namespace.injected) return "overview.injected" as const;
  return namespace.workloads.some((each) => each.proxy) ? "overview.own" : "overview.notInjected";
}

function WorkloadLine({ workload }: { workload: Workload }) {
  const { t } = useWords();
  return (
    <li>
      <span className={`mark ${workload.health}`} title={t(`health.${workload.health}`)}>
        <span className="hidden">{t(`health.${workload.health}`)}</span>
      </span>
      <span className="name">{workload.name}</span>
      {!workload.meshed && workload.wanted > 0 && (
        <span className="quiet" title={t("badge.no-sidecar")}>
          <Icon name="no-sidecar" size={13} title={t("badge.no-sidecar")} />
        </span>
      )}
      <span className="count">
        {workload.ready}/{workload.wanted}
      </span>
    </li>
  );
}
