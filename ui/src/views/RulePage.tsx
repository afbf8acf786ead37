import { useState } from "react";
import useSWR from "swr";
import { Link, useLocation, useParams } from "wouter";
import { type Rule, send } from "../api";
import { YamlEditor } from "../editor/YamlEditor";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { Live } from "../parts/RuleTable";

interface Detail extends Rule {
  yaml: string;
  version: string;
}

/** One object: whether it is live, its problems, and its text, which one can change. */
export function RulePage() {
  const { t } = useWords();
  const { resource = "", namespace = "", name = "" } = useParams();
  const [, go] = useLocation();
  const path = `/api/config/${resource}/${namespace}/${name}`;
  const { data, error, mutate } = useSWR<Detail, Error>(path);
  const [saved, setSaved] = useState(false);
  const remove = () => {
    if (confirm(t("editor.reallyDelete", { name }))) send("DELETE", path).then(() => go("/config"));
  };
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/config">{t("nav.config")}</Link>
      </p>
      <Loaded data={data} error={error}>
        {(rule) => (
          <>
            <div className="heading">
              <h1>
                {rule.name} <span className="quiet">{rule.kind}</span>
              </h1>
              <Live rule={rule} />
            </div>
            <p className="facts">
              <span>{rule.namespace}</span>
              <span>{rule.live?.message}</span>
            </p>
            {saved && (
              <p className="notice" role="status">
                {t("editor.saved")}
              </p>
            )}
            <YamlEditor
              key={`${resource}/${namespace}/${name}`}
              text={rule.yaml}
              version={rule.version}
              onApplied={() => {
                setSaved(true);
                mutate();
              }}
              onDelete={remove}
            />
          </>
        )}
      </Loaded>
    </div>
  );
}

const START = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: default
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews}
`;

export function NewRulePage() {
  const { t } = useWords();
  const [, go] = useLocation();
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/config">{t("nav.config")}</Link>
      </p>
      <h1>{t("config.new")}</h1>
      <YamlEditor text={START} onApplied={() => go("/config")} onCancel={() => go("/config")} />
    </div>
  );
}
