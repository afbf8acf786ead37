import { type ReactNode, useState } from "react";
import useSWR from "swr";
import { Link, useLocation, useSearchParams } from "wouter";
import type { Service } from "../api";
import { YamlEditor } from "../editor/YamlEditor";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { type Answers, evened, make, START, type Target, WIZARDS, type Wizard } from "../wizards/make";

/** Questions on the left, the YAML that they come to on the right: what is applied is what one sees. */
export function WizardPage() {
  const { t } = useWords();
  const { data, error } = useSWR<{ services: Service[] }, Error>("/api/mesh/services");
  return (
    <div className="page wide">
      <p className="crumbs">
        <Link href="/config">{t("nav.config")}</Link>
      </p>
      <h1>{t("wizard.title")}</h1>
      <Loaded data={data} error={error}>
        {(found) => <Form services={found.services.filter((each) => each.workloads.some((one) => !one.proxy))} />}
      </Loaded>
    </div>
  );
}

function Form({ services }: { services: Service[] }) {
  const { t } = useWords();
  const [, go] = useLocation();
  const [search, setSearch] = useSearchParams();
  const [answers, setAnswers] = useState<Answers>(START);
  const wizard = WIZARDS.find((each) => each === search.get("wizard")) ?? "shift";
  const service = services.find((each) => `${each.namespace}/${each.name}` === search.get("service")) ?? services[0];
  if (!service) return <p className="waiting">{t("wizard.noServices")}</p>;
  const target = targetOf(service);
  const choose = (name: string, value: string) =>
    setSearch(
      (before) => {
        before.set(name, value);
        return before;
      },
      { replace: true },
    );
  const change = (part: Partial<Answers>) => setAnswers((before) => ({ ...before, ...part }));
  const versioned = wizard === "shift" || wizard === "route";
  return (
    <div className="wizard">
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          {t("wizard.which")}
          <select value={wizard} onChange={(event) => choose("wizard", event.target.value)}>
            {WIZARDS.map((each) => (
              <option key={each} value={each}>
                {t(`wizard.${each}`)}
              </option>
            ))}
          </select>
        </label>
        <p className="quiet">{t(`wizard.${wizard}.what`)}</p>
        <label>
          {t("wizard.service")}
          <select
            value={`${service.namespace}/${service.name}`}
            onChange={(event) => choose("service", event.target.value)}
          >
            {services.map((each) => (
              <option key={`${each.namespace}/${each.name}`}>{`${each.namespace}/${each.name}`}</option>
            ))}
          </select>
        </label>
        {versioned && target.versions.length < 2 ? (
          <p className="notice">{t("wizard.oneVersion")}</p>
        ) : (
          <Questions wizard={wizard} target={target} answers={answers} onChange={change} />
        )}
      </form>
      <YamlEditor text={make(wizard, target, answers)} onApplied={() => go("/config")} onCancel={() => go("/config")} />
    </div>
  );
}

function targetOf(service: Service): Target {
  const versions = new Set(service.workloads.map((each) => each.version).filter((each) => each !== "latest"));
  const apps = new Set(service.workloads.map((each) => each.app));
  return {
    namespace: service.namespace,
    name: service.name,
    versions: [...versions].sort(),
    apps: [...apps],
    subsets: service.subsets,
  };
}

interface QuestionsProps {
  wizard: Wizard;
  target: Target;
  answers: Answers;
  onChange: (part: Partial<Answers>) => void;
}

function Questions({ wizard, target, answers, onChange }: QuestionsProps): ReactNode {
  const { t } = useWords();
  const figure = (name: keyof Answers, title: string, most?: number, step = 1) => (
    <label key={name}>
      {title}
      <input
        type="number"
        min={0}
        max={most}
        step={step}
        value={String(answers[name])}
        onChange={(event) => onChange({ [name]: Number(event.target.value) })}
      />
    </label>
  );
  const word = (name: keyof Answers, title: string, hint?: string) => (
    <label key={name}>
      {title}
      <input
        value={String(answers[name])}
        placeholder={hint}
        spellCheck={false}
        onChange={(event) => onChange({ [name]: event.target.value })}
      />
    </label>
  );
  const choice = (name: "version" | "otherwise" | "mode", title: string, values: readonly string[], fallback = "") => (
    <label key={name}>
      {title}
      <select
        value={answers[name] || fallback}
        onChange={(event) => onChange({ [name]: event.target.value } as Partial<Answers>)}
      >
        {values.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
  switch (wizard) {
    case "shift":
      return <Weights target={target} answers={answers} onChange={onChange} />;
    case "route":
      return [
        word("header", t("wizard.header")),
        word("value", t("wizard.value")),
        choice("version", t("wizard.version"), target.versions, target.versions.at(-1)),
        choice("otherwise", t("wizard.otherwise"), target.versions, target.versions[0]),
      ];
    case "fault":
      return [
        figure("delayPercent", t("wizard.delayPercent"), 100),
        figure("delaySeconds", t("wizard.delaySeconds"), 600, 0.1),
        figure("abortPercent", t("wizard.abortPercent"), 100),
        figure("abortCode", t("wizard.abortCode"), 599),
      ];
    case "retry":
      return [
        figure("timeoutSeconds", t("wizard.timeoutSeconds"), 3600, 0.5),
        figure("attempts", t("wizard.attempts"), 10),
        figure("perTrySeconds", t("wizard.perTrySeconds"), 3600, 0.5),
      ];
    case "breaker":
      return [
        figure("errors", t("wizard.errors")),
        figure("ejectSeconds", t("wizard.ejectSeconds")),
        figure("ejectPercent", t("wizard.ejectPercent"), 100),
        figure("connections", t("wizard.connections")),
        figure("pending", t("wizard.pending")),
      ];
    case "mtls":
      return choice("mode", t("wizard.mode"), ["STRICT", "PERMISSIVE", "DISABLE"]);
    case "authz":
      return [
        word("callers", t("wizard.callers"), "agent, shop/web"),
        <Methods key="methods" answers={answers} onChange={onChange} />,
        word("paths", t("wizard.paths"), "/v1/*"),
      ];
  }
}

function Weights({ target, answers, onChange }: Omit<QuestionsProps, "wizard">) {
  const { t } = useWords();
  const weights = evened(answers.weights, target.versions);
  const set = (version: string, weight: number) => {
    const others = weights.filter(([each]) => each !== version);
    const left = others.reduce((sum, [, each]) => sum + each, 0);
    const next: Record<string, number> = { [version]: weight };
    for (const [each, own] of others)
      next[each] = left ? (own * (100 - weight)) / left : (100 - weight) / others.length;
    onChange({ weights: next });
  };
  return weights.map(([version, weight]) => (
    <label key={version}>
      <span className="with-icon">
        {version} <b>{weight}%</b>
      </span>
      <input
        type="range"
        min={0}
        max={100}
        value={weight}
        aria-label={t("wizard.weight", { version })}
        onChange={(event) => set(version, Number(event.target.value))}
      />
    </label>
  ));
}

function Methods({ answers, onChange }: Pick<QuestionsProps, "answers" | "onChange">) {
  const { t } = useWords();
  return (
    <fieldset>
      <legend>{t("wizard.methods")}</legend>
      {["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => (
        <label key={method} className="switch">
          <input
            type="checkbox"
            checked={answers.methods.includes(method)}
            onChange={(event) => {
              const others = answers.methods.filter((each) => each !== method);
              onChange({ methods: event.target.checked ? [...others, method] : others });
            }}
          />
          {method}
        </label>
      ))}
    </fieldset>
  );
}
