import useSWR from "swr";
import { Link } from "wouter";
import { digits, span } from "../format";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";

type State = "inactive" | "pending" | "firing";

interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: State;
  activeAt: string;
  value: string;
}

interface Rule {
  name: string;
  query: string;
  type: "alerting" | "recording";
  health: string;
  lastError?: string;
  duration?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  state?: State;
  alerts?: Alert[];
}

interface Group {
  name: string;
  file: string;
  interval: number;
  rules: Rule[];
}

const MARKS: Record<State, string> = { firing: "error", pending: "warning", inactive: "ok" };
const CHIPS: Record<string, string> = { critical: "error", error: "error", page: "error", warning: "warning" };
const STATES: State[] = ["firing", "pending", "inactive"];

/** The rules as Prometheus's API tells them, and the alerts that are on. */
export function useAlerts() {
  const { data, error } = useSWR<{ data: { groups: Group[] } }, Error>("/api/prometheus/api/v1/rules");
  const groups = data?.data.groups;
  const alerts = groups
    ?.flatMap((group) => group.rules.flatMap((rule) => rule.alerts ?? []))
    .sort((one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state));
  return { groups, alerts, error, firing: alerts?.filter((each) => each.state === "firing").length ?? 0 };
}

export function AlertsPage() {
  const { t } = useWords();
  const { groups, alerts, error } = useAlerts();
  return (
    <div className="page wide">
      <h1>{t("nav.alerts")}</h1>
      <Loaded data={groups && alerts && { groups, alerts }} error={error}>
        {(found) =>
          found.groups.length === 0 ? (
            <None />
          ) : (
            <>
              {found.alerts.length === 0 ? (
                <p className="notice with-icon">
                  <span className="mark ok" aria-hidden="true" /> {t("alerts.quiet")}
                </p>
              ) : (
                <ul className="alerts">
                  {found.alerts.map((each) => (
                    <One key={JSON.stringify(each.labels)} alert={each} />
                  ))}
                </ul>
              )}
              {found.groups.map((group) => (
                <RuleGroup key={`${group.file}/${group.name}`} group={group} />
              ))}
            </>
          )
        }
      </Loaded>
    </div>
  );
}

function None() {
  const { t } = useWords();
  return (
    <div className="notice">
      <p>{t("alerts.none")}</p>
      <pre>
        <code>
          {[
            "apiVersion: monitoring.coreos.com/v1",
            "kind: PrometheusRule",
            "metadata: {name: errors, namespace: default}",
            "spec:",
            "  groups:",
            "  - name: errors",
            "    rules:",
            "    - alert: HighErrorRate",
            '      expr: sum by (destination_service) (rate(istio_requests_total{response_code=~"5.."}[1m])) > 1',
            "      for: 1m",
          ].join("\n")}
        </code>
      </pre>
    </div>
  );
}

function One({ alert }: { alert: Alert }) {
  const { t, language } = useWords();
  const { alertname, severity, ...labels } = alert.labels;
  const since = new Date(alert.activeAt);
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <li className={`card alert ${alert.state}`}>
      <header>
        <h2>{alertname}</h2>
        <span className={`chip ${MARKS[alert.state]}`}>{t(`alerts.state.${alert.state}`)}</span>
        {severity && <span className={`chip ${CHIPS[severity] ?? ""}`}>{severity}</span>}
        <span className="quiet">
          {t("alerts.since", { time: span((Date.now() - since.getTime()) / 1000, t) })}, {clock.format(since)}
        </span>
      </header>
      {Object.entries(alert.annotations).map(([name, text]) => (
        <p key={name} className={name === "summary" ? "" : "quiet"}>
          {/^https?:\/\//.test(text) ? <a href={text}>{name}</a> : text}
        </p>
      ))}
      <p className="facts">
        <span>
          {t("alerts.value")} <b>{digits(Number(alert.value))}</b>
        </span>
        {Object.entries(labels).map(([name, value]) => (
          <code key={name}>
            {name}={value}
          </code>
        ))}
      </p>
      <p className="links">
        {places(alert.labels, t("alerts.graph")).map(([path, name]) => (
          <Link key={path} href={path}>
            {name}
          </Link>
        ))}
      </p>
    </li>
  );
}

/** Where there is more about what the labels name. */
function places(labels: Record<string, string>, graph: string): [path: string, name: string][] {
  const found: [string, string][] = [];
  const [service = "", ofService] = (labels.destination_service ?? "").split(".");
  for (const [namespace, name] of [
    [labels.destination_workload_namespace ?? labels.namespace, labels.destination_workload ?? labels.workload],
    [labels.source_workload_namespace, labels.source_workload],
  ]) {
    if (namespace && name && name !== "unknown") found.push([`/workloads/${namespace}/${name}`, name]);
  }
  const space = labels.destination_service_namespace ?? ofService;
  const called = labels.destination_service_name ?? service;
  if (space && called && called !== "unknown") found.push([`/services/${space}/${called}`, called]);
  const near = labels.destination_workload_namespace ?? space ?? labels.namespace ?? labels.source_workload_namespace;
  const find = labels.destination_workload ?? called;
  const view = labels.destination_workload ? "workload" : "service";
  const asked = new URLSearchParams({ view, ...(near && { namespaces: near }), ...(find && { find }) });
  return [...found, [`/graph?${asked}`, graph]];
}

function RuleGroup({ group }: { group: Group }) {
  const { t } = useWords();
  const [namespace, name] = group.file.split("/");
  return (
    <section>
      <h2>
        {group.name}{" "}
        <Link className="quiet" href={`/config/prometheusrules.monitoring.coreos.com/${namespace}/${name}`}>
          {group.file}
        </Link>
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="table framed" aria-label={group.name} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t("config.state")}</th>
              <th>{t("alerts.rule")}</th>
              <th>{t("alerts.expression")}</th>
              <th className="figure">{t("alerts.for")}</th>
            </tr>
          </thead>
          <tbody>
            {group.rules.map((rule) => (
              <RuleRow key={`${rule.type}/${rule.name}/${rule.query}`} rule={rule} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const { t } = useWords();
  const state = rule.state ?? "inactive";
  return (
    <tr>
      <td>
        {rule.health === "err" ? (
          <span className="chip error">{t("alerts.broken")}</span>
        ) : rule.type === "recording" ? (
          <span className="chip">{t("alerts.recording")}</span>
        ) : (
          <span className={`chip ${MARKS[state]}`}>{t(`alerts.state.${state}`)}</span>
        )}
      </td>
      <td>
        <strong>{rule.name}</strong>
        {Object.entries(rule.labels ?? {}).map(([name, value]) => (
          <code key={name} className="label quiet">
            {name}={value}
          </code>
        ))}
        {rule.annotations?.summary && <p className="quiet">{rule.annotations.summary}</p>}
      </td>
      <td>
        <code className="expression">{rule.query}</code>
        {rule.lastError && <p className="error">{rule.lastError}</p>}
      </td>
      <td className="figure">{rule.duration ? span(rule.duration, t) : "–"}</td>
    </tr>
  );
}
