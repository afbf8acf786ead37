import { select } from "d3-selection";
import { curveBasis, line } from "d3-shape";
import { type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import { type KeyboardEvent, memo, useCallback, useEffect, useMemo, useRef } from "react";
import type { Graph, GraphEdge, GraphNode } from "../api";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { layout, NODE_HEIGHT, NODE_WIDTH, neighbour, type Point, signature } from "./layout";
import { dots, edgeLabel, edgeState, edgeWidth, type Label, nodeDetail, nodeState, nodeTitle } from "./words";

const path = line<Point>(
  (point) => point.x,
  (point) => point.y,
).curve(curveBasis);

const ARROWS: Record<string, "left" | "right" | "up" | "down"> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

interface Props {
  graph: Graph;
  label: Label;
  animated: boolean;
  selected: string | null;
  found: Set<string> | null;
  onSelect: (id: string | null) => void;
}

export function Canvas({ graph, label, animated, selected, found, onSelect }: Props) {
  const { t } = useWords();
  const svg = useRef<SVGSVGElement>(null);
  const inner = useRef<SVGGElement>(null);
  const zooming = useRef<ZoomBehavior<SVGSVGElement, unknown> | null>(null);
  const shape = signature(graph);
  const direction = matchMedia("(max-width: 720px)").matches ? "TB" : "LR";
  // biome-ignore lint/correctness/useExhaustiveDependencies: nothing moves while the same nodes and edges are shown
  const placed = useMemo(() => layout(graph, direction), [shape, direction]);
  const near = useMemo(() => neighbours(graph, selected), [graph, selected]);

  const fitAll = useCallback(() => {
    const own = svg.current;
    if (!own || !zooming.current || !placed.width) return;
    const { width, height } = own.getBoundingClientRect();
    const scale = Math.min(1.15, width / placed.width, height / placed.height);
    const [x, y] = [(width - placed.width * scale) / 2, (height - placed.height * scale) / 2];
    zooming.current.transform(select(own), zoomIdentity.translate(x, y).scale(scale));
  }, [placed]);

  useEffect(() => {
    const own = svg.current;
    if (!own) return;
    const behaviour = zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.08, 3])
      .on("zoom", (event: { transform: { toString(): string } }) => {
        inner.current?.setAttribute("transform", event.transform.toString());
      });
    zooming.current = behaviour;
    select(own).call(behaviour).on("dblclick.zoom", null);
    return () => {
      select(own).on(".zoom", null);
    };
  }, []);
  useEffect(fitAll, [fitAll]);

  const by = (factor: number) => {
    if (svg.current && zooming.current) zooming.current.scaleBy(select(svg.current), factor);
  };
  const onKey = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key];
    if (direction) {
      const from = selected ?? graph.nodes[0]?.id;
      const next = from && (selected ? neighbour(from, direction, placed) : from);
      if (next) {
        onSelect(next);
        document.getElementById(`node:${next}`)?.focus();
      }
      event.preventDefault();
    } else if (event.key === "Escape") onSelect(null);
    else if (event.key === "+" || event.key === "=") by(1.25);
    else if (event.key === "-") by(0.8);
    else if (event.key === "0") fitAll();
  };
  const dim = (id: string) => (found ? !found.has(id) : near ? !near.has(id) : false);

  return (
    <div className="canvas">
      {/* biome-ignore lint/a11y/useSemanticElements: SVG has no groups of HTML's kind */}
      <svg
        ref={svg}
        role="group"
        aria-label={t("graph.label", { nodes: graph.nodes.length, edges: graph.edges.length })}
        onKeyDown={onKey}
        onClick={(event) => event.target === svg.current && onSelect(null)}
      >
        <Arrowheads />
        <g ref={inner}>
          {[...placed.namespaces].map(([name, box]) => (
            <g key={name} className="frame">
              <rect
                x={box.x - box.width / 2}
                y={box.y - box.height / 2}
                width={box.width}
                height={box.height}
                rx="14"
              />
              <text x={box.x - box.width / 2 + 14} y={box.y - box.height / 2 + 18}>
                {name}
              </text>
            </g>
          ))}
          {graph.edges.map((edge) => (
            <Edge
              key={edge.id}
              edge={edge}
              points={placed.edges.get(edge.id) ?? []}
              label={label}
              animated={animated}
              dim={dim(edge.id)}
              selected={selected === edge.id}
              onSelect={onSelect}
            />
          ))}
          {graph.nodes.map((node) => {
            const box = placed.nodes.get(node.id);
            return box ? (
              <Node
                key={node.id}
                node={node}
                x={box.x}
                y={box.y}
                dim={dim(node.id)}
                selected={selected === node.id}
                onSelect={onSelect}
              />
            ) : null;
          })}
        </g>
      </svg>
      <div className="zoom">
        <button type="button" onClick={() => by(1.25)} aria-label={t("graph.zoomIn")}>
          <Icon name="plus" />
        </button>
        <button type="button" onClick={() => by(0.8)} aria-label={t("graph.zoomOut")}>
          <Icon name="minus" />
        </button>
        <button type="button" onClick={fitAll} aria-label={t("graph.fit")}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

function Arrowheads() {
  return (
    <defs>
      {["ok", "warning", "error", "tcp"].map((state) => (
        <marker
          key={state}
          id={`arrow-${state}`}
          className={`arrow ${state}`}
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0,0.6 L7.4,4 L0,7.4 z" />
        </marker>
      ))}
    </defs>
  );
}

interface EdgeProps {
  edge: GraphEdge;
  points: Point[];
  label: Label;
  animated: boolean;
  dim: boolean;
  selected: boolean;
  onSelect: (id: string) => void;
}

const Edge = memo(function Edge({ edge, points, label, animated, dim, selected, onSelect }: EdgeProps) {
  const { t } = useWords();
  const state = edgeState(edge);
  const drawn = path(points) ?? "";
  const middle = points[Math.floor(points.length / 2)];
  const text = edgeLabel(edge, label, t);
  const secure = (edge.secure ?? 0) > 0;
  const { count, seconds } = animated ? dots(edge) : { count: 0, seconds: 0 };
  const width = 7 * text.length + (secure ? 24 : 12);
  const failing = label === "rate" && edge.failed > 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the same is in the panel of both nodes, and in the table
    <g className={`edge ${state}${dim ? " dim" : ""}${selected ? " selected" : ""}`} onClick={() => onSelect(edge.id)}>
      <path className="reach" d={drawn} />
      <path className="line" d={drawn} strokeWidth={edgeWidth(edge)} markerEnd={`url(#arrow-${state})`} />
      {Array.from({ length: count }, (_, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: dots are alike, and only their number changes
        <circle key={place} className="dot" r="3.2">
          <animateMotion
            dur={`${seconds}s`}
            begin={`${-(place * seconds) / count}s`}
            repeatCount="indefinite"
            path={drawn}
          />
        </circle>
      ))}
      {middle && (text || secure) && (
        <g className="tag" transform={`translate(${middle.x},${middle.y})`}>
          <rect x={-width / 2} y="-10" width={width} height={failing ? 32 : 20} rx="10" />
          {secure && <Icon name="lock" x={-width / 2 + 6} y={-6} size={12} title={t("edge.mtls")} />}
          <text x={secure ? 8 : 0} y="4">
            {text}
          </text>
          {failing && (
            <text className="failing" y="16">
              {edgeLabel(edge, "errors", t)}
            </text>
          )}
        </g>
      )}
    </g>
  );
});

interface NodeProps {
  node: GraphNode;
  x: number;
  y: number;
  dim: boolean;
  selected: boolean;
  onSelect: (id: string) => void;
}

const Node = memo(function Node({ node, x, y, dim, selected, onSelect }: NodeProps) {
  const { t } = useWords();
  const state = nodeState(node);
  const detail = nodeDetail(node, t);
  const title = nodeTitle(node, t);
  const signs = node.gateway ? ["gateway" as const, ...node.badges] : node.badges;
  const told = [title, detail, ...signs.map((sign) => t(`badge.${sign}`))].filter(Boolean).join(", ");
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no buttons
    <g
      id={`node:${node.id}`}
      className={`node ${state} ${node.kind}${dim ? " dim" : ""}${selected ? " selected" : ""}`}
      transform={`translate(${x - NODE_WIDTH / 2},${y - NODE_HEIGHT / 2})`}
      role="button"
      tabIndex={0}
      aria-pressed={selected}
      onClick={() => onSelect(node.id)}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          onSelect(node.id);
          event.preventDefault();
        }
      }}
    >
      <title>{told}</title>
      <rect className="card" width={NODE_WIDTH} height={NODE_HEIGHT} rx={node.kind === "service" ? 24 : 10} />
      <circle className="state" cx="18" cy={NODE_HEIGHT / 2} r="5" />
      <text className="name" x="32" y={detail ? 21 : 29}>
        {shortened(title, 18)}
      </text>
      {detail && (
        <text className="detail" x="32" y="37">
          {shortened(detail, 20)}
        </text>
      )}
      {signs.map((sign, place) => (
        <g key={sign} className={`sign ${sign}`} transform={`translate(${NODE_WIDTH - 16 - 21 * place},-9)`}>
          <circle cx="0" cy="9" r="9.5" />
          <Icon name={sign} x={-6} y={3} size={12} title={t(`badge.${sign}`)} />
        </g>
      ))}
    </g>
  );
});

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The selected node or edge with everything that touches it; null when nothing is selected. */
function neighbours(graph: Graph, selected: string | null): Set<string> | null {
  if (!selected) return null;
  const found = new Set([selected]);
  for (const edge of graph.edges) {
    if (edge.id === selected || edge.source === selected || edge.target === selected) {
      found.add(edge.id).add(edge.source).add(edge.target);
    }
  }
  return found;
}
