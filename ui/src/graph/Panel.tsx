import { Link } from "wouter";
import type { Graph, GraphEdge, GraphNode } from "../api";
import { bytes, duration, rate, share, verdict } from "../format";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { nodeDetail, nodeTitle } from "./words";

interface Props {
  graph: Graph;
  selected: string;
  onSelect: (id: string | null) => void;
}

export function Panel({ graph, selected, onSelect }: Props) {
  const { t } = useWords();
  const node = graph.nodes.find((each) => each.id === selected);
  const edge = graph.edges.find((each) => each.id === selected);
  return (
    <aside className="panel" aria-live="polite">
      <button type="button" className="plain close" onClick={() => onSelect(null)} aria-label={t("node.close")}>
        <Icon name="close" />
      </button>
      {node && <NodePanel graph={graph} node={node} onSelect={onSelect} />}
      {edge && <EdgePanel graph={graph} edge={edge} onSelect={onSelect} />}
    </aside>
  );
}

function NodePanel({ graph, node, onSelect }: { graph: Graph; node: GraphNode; onSelect: (id: string) => void }) {
  const { t } = useWords();
  const incoming = graph.edges.filter((edge) => edge.target === node.id);
  const outgoing = graph.edges.filter((edge) => edge.source === node.id);
  const signs = node.gateway ? ["gateway" as const, ...node.badges] : node.badges;
  return (
    <>
      <h2>{nodeTitle(node, t)}</h2>
      <p className="quiet">
        {[node.namespace, nodeDetail(node, t)].filter((each, at, all) => each && all.indexOf(each) === at).join(" · ")}
      </p>
      {signs.length > 0 && (
        <ul className="signs">
          {signs.map((sign) => (
            <li key={sign} className={sign}>
              <Icon name={sign} size={13} /> {t(`badge.${sign}`)}
            </li>
          ))}
        </ul>
      )}
      <Links node={node} />
      <Ends title={t("node.incoming")} edges={incoming} end="source" graph={graph} onSelect={onSelect} />
      <Ends title={t("node.outgoing")} edges={outgoing} end="target" graph={graph} onSelect={onSelect} />
    </>
  );
}

/** Where there is more about the node. */
function Links({ node }: { node: GraphNode }) {
  const { t } = useWords();
  const known = node.kind !== "external" && node.kind !== "unknown";
  const workloads = node.kind === "workload" ? [node.name] : (node.workloads ?? []);
  const services = node.kind === "service" ? [node.name] : (node.services ?? []);
  if (!known || workloads.length + services.length === 0) return null;
  return (
    <p className="more">
      {node.kind === "app" && (
        <Link href={`/apps/${node.namespace}/${node.name}`}>{t("graph.app", { name: node.name })}</Link>
      )}
      {workloads.map((name) => (
        <Link key={`w/${name}`} href={`/workloads/${node.namespace}/${name}`}>
          {name}
        </Link>
      ))}
      {services.map((name) => (
        <Link key={`s/${name}`} href={`/services/${node.namespace}/${name}`}>
          {t("graph.service", { name })}
        </Link>
      ))}
    </p>
  );
}

interface EndsProps {
  title: string;
  edges: GraphEdge[];
  end: "source" | "target";
  graph: Graph;
  onSelect: (id: string) => void;
}

function Ends({ title, edges, end, graph, onSelect }: EndsProps) {
  const { t } = useWords();
  const total = edges.reduce((sum, edge) => sum + edge.rate, 0);
  return (
    <section>
      <h3>
        {title} {total > 0 && <span className="quiet">{rate(total, t)}</span>}
      </h3>
      {edges.length === 0 && <p className="quiet">{t("node.none")}</p>}
      <ul className="ends">
        {[...edges]
          .sort((one, other) => other.rate - one.rate)
          .map((edge) => {
            const other = graph.nodes.find((each) => each.id === edge[end]);
            return (
              <li key={edge.id}>
                <button type="button" className="link" onClick={() => onSelect(edge.id)}>
                  {(edge.secure ?? 0) > 0 && <Icon name="lock" size={12} title={t("edge.mtls")} />}
                  <span className="name">
                    {other ? nodeTitle(other, t) : ""} <span className="quiet">{other?.version}</span>
                  </span>
                </button>
                <span>{edge.rate > 0 ? rate(edge.rate, t) : bytes(edge.bytes, t)}</span>
                <span className={verdict(edge.failed)}>{edge.failed > 0 ? share(edge.failed) : ""}</span>
              </li>
            );
          })}
      </ul>
    </section>
  );
}

function EdgePanel({ graph, edge, onSelect }: { graph: Graph; edge: GraphEdge; onSelect: (id: string) => void }) {
  const { t } = useWords();
  const source = graph.nodes.find((each) => each.id === edge.source);
  const target = graph.nodes.find((each) => each.id === edge.target);
  const facts: [name: string, value: string][] = [[t("edge.protocol"), edge.protocol.toUpperCase()]];
  if (edge.rate > 0) {
    facts.push([t("edge.rate"), rate(edge.rate, t)], [t("edge.share"), share(edge.share)]);
    facts.push([t("edge.errors"), share(edge.failed)], [t("edge.refused"), share(edge.refused)]);
    for (const quantile of ["p50", "p95", "p99"] as const) {
      facts.push([quantile.toUpperCase(), duration(edge.latency[quantile], t)]);
    }
  }
  if (edge.bytes > 0) facts.push([t("edge.bytes"), bytes(edge.bytes, t)]);
  return (
    <>
      <h2 className="way">
        {source && (
          <button type="button" className="link" onClick={() => onSelect(source.id)}>
            {nodeTitle(source, t)}
          </button>
        )}
        <span aria-hidden="true">→</span>
        {target && (
          <button type="button" className="link" onClick={() => onSelect(target.id)}>
            {nodeTitle(target, t)} {target.version}
          </button>
        )}
      </h2>
      <Security secure={edge.secure} />
      <dl className="facts-list">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Security({ secure }: { secure: number | null }) {
  const { t } = useWords();
  if (secure === null) return null;
  const told =
    secure === 1 ? t("edge.mtls") : secure === 0 ? t("edge.plain") : t("edge.partly", { share: share(secure) });
  return (
    <p className={secure === 1 ? "with-icon ok" : "with-icon quiet"}>
      {secure > 0 && <Icon name="lock" size={13} />} {told}
    </p>
  );
}
