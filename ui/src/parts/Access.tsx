import { type FormEvent, useState } from "react";
import useSWR from "swr";
import { get, type Pod, post, type Workload } from "../api";
import { useWords } from "../i18n";
import { Icon } from "./Icon";
import { Loaded } from "./Loaded";

interface Told {
  identity: string;
  ports: { port: number; protocol: string; mode: string; by: string }[];
  callers: { action: string; policy: string; who: string; what: string; dry_run: boolean }[];
  tokens: string[];
  warnings: string[];
}

interface Verdict {
  transport: string;
  identity: string;
  status: number;
  refusal: string;
  mend: string;
}

const MODES: Record<string, string> = { STRICT: "ok", PERMISSIVE: "warning", DISABLE: "error" };

/** Who may call a workload, and how: the same for all its pods, so one of them is asked about. */
export function Access({ namespace, pods }: { namespace: string; pods: Pod[] }) {
  const { t } = useWords();
  const pod = pods[0]?.name;
  const { data, error } = useSWR<Told, Error>(pod ? `/api/questions/semafor/v1/pods/${namespace}/${pod}` : null);
  if (!pod) return <p className="waiting">{t("badge.no-sidecar")}</p>;
  return (
    <Loaded data={data} error={error}>
      {(told) => (
        <>
          {told.warnings.map((each) => (
            <p key={each} className="notice">
              {each}
            </p>
          ))}
          <p className="identity">
            {t("access.identity")} <code>{told.identity}</code>
          </p>
          <Ports ports={told.ports} />
          <Callers callers={told.callers} />
          {told.tokens.length > 0 && (
            <section>
              <h2>{t("access.tokens")}</h2>
              <ul>
                {told.tokens.map((each) => (
                  <li key={each}>{each}</li>
                ))}
              </ul>
            </section>
          )}
          <Try namespace={namespace} pod={pod} />
        </>
      )}
    </Loaded>
  );
}

function Ports({ ports }: { ports: Told["ports"] }) {
  const { t } = useWords();
  return (
    <section>
      <h2>{t("edge.mtls")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="table framed" aria-label={t("edge.mtls")} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t("access.port")}</th>
              <th>{t("edge.protocol")}</th>
              <th>{t("wizard.mode")}</th>
              <th>{t("access.by")}</th>
            </tr>
          </thead>
          <tbody>
            {ports.map((each) => (
              <tr key={each.port}>
                <td>{each.port || t("access.others")}</td>
                <td>{each.protocol}</td>
                <td>
                  <span className={`chip ${MODES[each.mode] ?? "info"}`}>{each.mode}</span>
                </td>
                <td className="quiet">{each.by}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Callers({ callers }: { callers: Told["callers"] }) {
  const { t } = useWords();
  return (
    <section>
      <h2>{t("wizard.authz")}</h2>
      {callers.length === 0 ? (
        <p>{t("access.everybody")}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="table framed" aria-label={t("wizard.authz")} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>{t("access.action")}</th>
                <th>{t("access.who")}</th>
                <th>{t("access.what")}</th>
                <th>{t("access.policy")}</th>
              </tr>
            </thead>
            <tbody>
              {callers.map((each) => (
                <tr key={`${each.policy}/${each.action}/${each.who}/${each.what}`}>
                  <td>
                    <span className={`chip ${each.action === "DENY" ? "error" : each.action === "ALLOW" ? "ok" : ""}`}>
                      {each.action}
                    </span>
                    {each.dry_run && <span className="quiet"> {t("access.dryRun")}</span>}
                  </td>
                  <td>{each.who}</td>
                  <td>{each.what}</td>
                  <td className="quiet">{each.policy}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

/** A request that nobody sends: what the proxy would make of it. */
function Try({ namespace, pod }: { namespace: string; pod: string }) {
  const { t } = useWords();
  const { data } = useSWR<{ workloads: Workload[] }, Error>("/api/workloads");
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [wrong, setWrong] = useState("");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    ask(`${namespace}/${pod}`, given)
      .then((found) => {
        setVerdict(found);
        setWrong("");
      })
      .catch((error: Error) => {
        setVerdict(null);
        setWrong(error.message);
      });
  };
  const callers = data?.workloads.filter((each) => each.ready > 0) ?? [];
  return (
    <section>
      <h2>{t("access.try")}</h2>
      <form className="filters" onSubmit={submit}>
        <label>
          <span>{t("access.caller")}</span>
          <select name="caller">
            <option value="">{t("access.outsider")}</option>
            {callers.map((each) => (
              <option key={`${each.namespace}/${each.name}`} value={`${each.namespace}/${each.name}`}>
                {each.namespace}/{each.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("access.method")}</span>
          <select name="method">
            {["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          <span>{t("access.path")}</span>
          <input name="path" defaultValue="/" spellCheck={false} />
        </label>
        <button type="submit">{t("access.ask")}</button>
      </form>
      {wrong && (
        <p className="notice error" role="alert">
          {wrong}
        </p>
      )}
      {verdict && <Answer verdict={verdict} />}
    </section>
  );
}

function Answer({ verdict }: { verdict: Verdict }) {
  const { t } = useWords();
  return (
    <div className={`notice ${verdict.refusal ? "error" : ""}`} role="status">
      <p className="with-icon">
        <Icon name={verdict.refusal ? "close" : "check"} />
        <strong>{verdict.refusal ? t("access.refused", { code: verdict.status || "" }) : t("access.allowed")}</strong>
      </p>
      {verdict.refusal && <p>{verdict.refusal}</p>}
      {verdict.mend && (
        <p>
          {t("problem.fix")}: {verdict.mend}
        </p>
      )}
      <p className="quiet">
        {verdict.transport} {verdict.identity}
      </p>
    </div>
  );
}

async function ask(pod: string, given: Record<string, string>): Promise<Verdict> {
  const source = given.caller ? await podOf(given.caller) : "";
  return post<Verdict>(`/api/questions/semafor/v1/authz/${pod}`, {
    source,
    method: given.method ?? "GET",
    path: given.path || "/",
  });
}

async function podOf(workload: string): Promise<string> {
  const found = await get<{ pods: Pod[] }>(`/api/workloads/${workload}`);
  const [namespace] = workload.split("/");
  return `${namespace}/${found.pods[0]?.name ?? ""}`;
}
