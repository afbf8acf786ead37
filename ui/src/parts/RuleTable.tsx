import { Link } from "wouter";
import type { Rule } from "../api";
import { useWords } from "../i18n";
import { ProblemList } from "./ProblemList";

export function rulePath(rule: { resource: string; namespace: string; name: string }): string {
  return `/config/${rule.resource}/${rule.namespace || "-"}/${rule.name}`;
}

/** Rules, and below them what is wrong with any of them. */
export function Rules({ rules }: { rules: Rule[] }) {
  const { t } = useWords();
  const problems = rules.flatMap((each) => each.problems);
  if (!rules.length) return <p className="waiting">{t("workload.noRules")}</p>;
  return (
    <>
      <RuleTable rules={rules} />
      {problems.length > 0 && (
        <section>
          <h2>{t("overview.problems")}</h2>
          <ProblemList problems={problems} />
        </section>
      )}
    </>
  );
}

export function RuleTable({ rules }: { rules: Rule[] }) {
  const { t } = useWords();
  const why = rules.some((each) => each.why);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table framed" aria-label={t("nav.config")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("config.name")}</th>
            <th>{t("config.kind")}</th>
            <th>{t("config.namespace")}</th>
            <th>{t("config.for")}</th>
            <th>{t("config.live")}</th>
            <th>{t("overview.problems")}</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((each) => (
            <tr key={`${each.resource}/${each.namespace}/${each.name}`}>
              <td>
                <Link href={rulePath(each)}>{each.name}</Link>
              </td>
              <td>{each.kind}</td>
              <td>{each.namespace}</td>
              <td className="quiet">{why ? t(`why.${each.why ?? "mesh"}`) : each.summary}</td>
              <td>
                <Live rule={each} />
              </td>
              <td>
                <ProblemCount rule={each} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Live({ rule }: { rule: Rule }) {
  const { t } = useWords();
  if (!rule.live) return <span className="quiet">–</span>;
  return (
    <span className="with-icon" title={rule.live.message ?? ""}>
      <span className={`mark ${rule.live.status ? "ok" : "warning"}`} aria-hidden="true" />
      {rule.live.status ? t("config.isLive") : (rule.live.reason ?? t("config.notLive"))}
    </span>
  );
}

function ProblemCount({ rule }: { rule: Rule }) {
  const { t } = useWords();
  const worst = (["error", "warning", "info"] as const).find((each) =>
    rule.problems.some((one) => one.severity === each),
  );
  if (!worst) return <span className="quiet">–</span>;
  const n = rule.problems.filter((each) => each.severity === worst).length;
  return <span className={`chip ${worst}`}>{t(`severity.${worst}`, { n })}</span>;
}
