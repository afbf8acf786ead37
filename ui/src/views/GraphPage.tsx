import { useEffect, useMemo, useState } from "react";
import useSWR from "swr";
import { useSearchParams } from "wouter";
import type { Graph, GraphView, Overview } from "../api";
import { Canvas } from "../graph/Canvas";
import { isEdge, parse } from "../graph/find";
import { Panel } from "../graph/Panel";
import { Table } from "../graph/Table";
import { Toolbar } from "../graph/Toolbar";
import { LABELS, type Label } from "../graph/words";
import { useWords } from "../i18n";
import { Loaded } from "../parts/Loaded";

export interface Settings {
  view: GraphView;
  label: Label;
  window: number;
  namespaces: string[];
  find: string;
  hide: string;
  idle: boolean;
  table: boolean;
  ago: number;
}

/** What is shown is in the address: a link to it shows the same. */
function read(from: URLSearchParams): Settings {
  const view = from.get("view");
  const label = from.get("label");
  return {
    view: view === "app" || view === "workload" || view === "service" ? view : "versioned",
    label: LABELS.find((each) => each === label) ?? "rate",
    window: Number(from.get("window") ?? 60),
    namespaces: (from.get("namespaces") ?? "").split(",").filter(Boolean),
    find: from.get("find") ?? "",
    hide: from.get("hide") ?? "",
    idle: from.get("idle") === "1",
    table: from.get("table") === "1",
    ago: Number(from.get("ago") ?? 0),
  };
}

function write(settings: Settings): Record<string, string> {
  const told: Record<string, string> = {};
  if (settings.view !== "versioned") told.view = settings.view;
  if (settings.label !== "rate") told.label = settings.label;
  if (settings.window !== 60) told.window = String(settings.window);
  if (settings.namespaces.length) told.namespaces = settings.namespaces.join(",");
  if (settings.find) told.find = settings.find;
  if (settings.hide) told.hide = settings.hide;
  if (settings.idle) told.idle = "1";
  if (settings.table) told.table = "1";
  if (settings.ago) told.ago = String(settings.ago);
  return told;
}

export function GraphPage() {
  const { t } = useWords();
  const [search, setSearch] = useSearchParams();
  const settings = useMemo(() => read(search), [search]);
  const [selected, setSelected] = useState<string | null>(null);
  const [animated, setAnimated] = useState(() => !matchMedia("(prefers-reduced-motion: reduce)").matches);
  const change = (part: Partial<Settings>) => setSearch(write({ ...settings, ...part }), { replace: true });

  const asked = new URLSearchParams({ view: settings.view, window: String(settings.window) });
  if (settings.namespaces.length) asked.set("namespaces", settings.namespaces.join(","));
  if (settings.ago) asked.set("at", String(Math.floor(Date.now() / 5000) * 5 - settings.ago * 60));
  const { data, error } = useSWR<Graph, Error>(`/api/graph?${asked}`);
  const overview = useSWR<Overview, Error>("/api/overview");
  const names = overview.data?.namespaces.filter((each) => each.workloads.length > 0).map((each) => each.name) ?? [];

  const shown = useMemo(() => data && visible(data, settings), [data, settings]);
  const found = useMemo(() => (shown ? matching(shown, settings.find) : null), [shown, settings.find]);
  useEffect(() => {
    if (selected && shown && ![...shown.nodes, ...shown.edges].some((each) => each.id === selected)) setSelected(null);
  }, [shown, selected]);

  return (
    <div className="graph-page">
      <h1 className="hidden">{t("nav.graph")}</h1>
      <Toolbar settings={settings} namespaces={names} animated={animated} onChange={change} onAnimate={setAnimated} />
      <Loaded data={shown} error={error}>
        {(graph) => (
          <div className="graph-body">
            {graph.nodes.length === 0 ? (
              <p className="waiting">{t("graph.empty")}</p>
            ) : settings.table ? (
              <Table graph={graph} onSelect={setSelected} />
            ) : (
              <Canvas
                graph={graph}
                label={settings.label}
                animated={animated}
                selected={selected}
                found={found}
                onSelect={setSelected}
              />
            )}
            {selected && <Panel graph={graph} selected={selected} onSelect={setSelected} />}
          </div>
        )}
      </Loaded>
    </div>
  );
}

/** The graph without what is hidden. */
function visible(graph: Graph, settings: Settings): Graph {
  const { test } = parse(settings.hide);
  const nodes = graph.nodes.filter(
    (node) => (settings.idle || node.in > 0 || node.out > 0 || node.bytes > 0) && !test?.(node),
  );
  const left = new Set(nodes.map((node) => node.id));
  const edges = graph.edges.filter((edge) => left.has(edge.source) && left.has(edge.target) && !test?.(edge));
  return { ...graph, nodes, edges };
}

/** What is found, with the ends of found edges; null when nothing is looked for. */
function matching(graph: Graph, find: string): Set<string> | null {
  const { test } = parse(find);
  if (!test) return null;
  const found = new Set<string>();
  for (const item of [...graph.nodes, ...graph.edges].filter(test)) {
    found.add(item.id);
    if (isEdge(item)) found.add(item.source).add(item.target);
  }
  return found;
}
