import { useMemo, useState } from "react";
import useSWR from "swr";
import { Link, useSearchParams } from "wouter";
import type { Rule } from "../api";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";
import { RuleTable } from "../parts/RuleTable";

export function ConfigPage() {
  const { t } = useWords();
  const { data, error } = useSWR<{ objects: Rule[] }, Error>("/api/config");
  const [search, setSearch] = useSearchParams();
  const [text, setText] = useState("");
  const kind = search.get("kind") ?? "";
  const only = search.get("only") ?? "";
  const set = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  const kinds = useMemo(() => [...new Set(data?.objects.map((each) => each.kind))].sort(), [data]);
  const shown = data?.objects.filter(
    (each) =>
      (!kind || each.kind === kind) &&
      (!only || (only === "problems" ? each.problems.length > 0 : each.live !== null && !each.live.status)) &&
      `${each.namespace}/${each.name} ${each.summary}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <div className="page wide">
      <div className="heading">
        <h1>{t("nav.config")}</h1>
        <div className="actions">
          <Link className="button" href="/wizards">
            {t("wizard.title")}
          </Link>
          <Link className="button primary" href="/config/new">
            {t("config.new")}
          </Link>
        </div>
      </div>
      <div className="filters">
        <label>
          <span className="hidden">{t("config.search")}</span>
          <input
            type="search"
            placeholder={t("config.search")}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <label>
          <span className="hidden">{t("config.kind")}</span>
          <select value={kind} onChange={(event) => set("kind", event.target.value)}>
            <option value="">{t("config.allKinds")}</option>
            {kinds.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          <span className="hidden">{t("config.state")}</span>
          <select value={only} onChange={(event) => set("only", event.target.value)}>
            <option value="">{t("config.anyState")}</option>
            <option value="problems">{t("config.withProblems")}</option>
            <option value="waiting">{t("config.notLive")}</option>
          </select>
        </label>
      </div>
      <Loaded data={shown} error={error}>
        {(rules) => (rules.length ? <RuleTable rules={rules} /> : <p className="waiting">{t("config.none")}</p>)}
      </Loaded>
    </div>
  );
}
