import type { GraphView } from "../api";
import { useWords } from "../i18n";
import { WindowSelect } from "../parts/WindowSelect";
import type { Settings } from "../views/GraphPage";
import { parse } from "./find";
import { Replay } from "./Replay";
import { LABELS, type Label } from "./words";

const VIEWS: GraphView[] = ["app", "versioned", "workload", "service"];
interface Props {
  settings: Settings;
  namespaces: string[];
  animated: boolean;
  onChange: (part: Partial<Settings>) => void;
  onAnimate: (animated: boolean) => void;
}

export function Toolbar({ settings, namespaces, animated, onChange, onAnimate }: Props) {
  const { t } = useWords();
  const wrong = parse(settings.find).wrong || parse(settings.hide).wrong;
  const chosen = settings.namespaces.length === 1 ? settings.namespaces[0] : "";
  return (
    <div className="toolbar">
      <label>
        <span>{t("graph.namespaces")}</span>
        <select
          value={chosen}
          onChange={(event) => onChange({ namespaces: event.target.value ? [event.target.value] : [] })}
        >
          <option value="">{t("graph.all")}</option>
          {[...new Set([...namespaces, ...settings.namespaces])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("graph.view")}</span>
        <select value={settings.view} onChange={(event) => onChange({ view: event.target.value as GraphView })}>
          {VIEWS.map((view) => (
            <option key={view} value={view}>
              {t(`graph.view.${view}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("graph.labels")}</span>
        <select value={settings.label} onChange={(event) => onChange({ label: event.target.value as Label })}>
          {LABELS.map((label) => (
            <option key={label} value={label}>
              {t(`graph.label.${label}`)}
            </option>
          ))}
        </select>
      </label>
      <WindowSelect value={settings.window} labelled onChange={(window) => onChange({ window })} />
      <Search name="find" value={settings.find} onChange={(find) => onChange({ find })} />
      <Search name="hide" value={settings.hide} onChange={(hide) => onChange({ hide })} />
      <div className="switches">
        <Switch name={t("graph.idle")} on={settings.idle} onChange={(idle) => onChange({ idle })} />
        <Switch name={t("graph.animate")} on={animated} onChange={onAnimate} />
        <Switch name={t("graph.list")} on={settings.table} onChange={(table) => onChange({ table })} />
      </div>
      <Replay ago={settings.ago} onChange={(ago) => onChange({ ago })} />
      {wrong && (
        <p className="wrong" role="status">
          {t("graph.notUnderstood", { term: wrong })}
        </p>
      )}
    </div>
  );
}

function Search({ name, value, onChange }: { name: "find" | "hide"; value: string; onChange: (text: string) => void }) {
  const { t } = useWords();
  return (
    <label className="search">
      <span>{t(`graph.${name}`)}</span>
      <input
        type="search"
        value={value}
        placeholder={name === "find" ? t("graph.findHint") : "idle, ns=kube-system"}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function Switch({ name, on, onChange }: { name: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="switch">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
      <span>{name}</span>
    </label>
  );
}
