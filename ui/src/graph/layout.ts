/** Where everything goes: left to right (on a phone, downwards) by who calls whom, with a frame around each namespace. Pure. */
import { layout as arrange, Graph as Dagre } from "@dagrejs/dagre";
import type { Graph, GraphNode } from "../api";

export const NODE_WIDTH = 168;
export const NODE_HEIGHT = 48;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  nodes: Map<string, Box>;
  edges: Map<string, Point[]>;
  namespaces: Map<string, Box>;
  width: number;
  height: number;
}

/** What the layout depends on: while this stays the same nothing moves, whatever flows. */
export function signature(graph: Graph): string {
  return `${graph.nodes.map((node) => node.id).join(" ")}|${graph.edges.map((edge) => edge.id).join(" ")}`;
}

export function layout(graph: Graph, direction: "LR" | "TB" = "LR"): Layout {
  const drawn = new Dagre({ compound: true, multigraph: false });
  drawn.setGraph({
    rankdir: direction,
    nodesep: 26,
    ranksep: direction === "LR" ? 130 : 44,
    edgesep: 18,
    marginx: 24,
    marginy: 24,
  });
  drawn.setDefaultEdgeLabel(() => ({}));
  const namespaces = framed(graph.nodes);
  for (const name of namespaces) drawn.setNode(frame(name), {});
  for (const node of graph.nodes) {
    drawn.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT });
    if (namespaces.has(node.namespace)) drawn.setParent(node.id, frame(node.namespace));
  }
  for (const edge of graph.edges) {
    if (edge.source !== edge.target) drawn.setEdge(edge.source, edge.target, { width: 56, height: 18, labelpos: "c" });
  }
  arrange(drawn);
  return read(drawn, graph, namespaces);
}

function read(drawn: InstanceType<typeof Dagre>, graph: Graph, namespaces: Set<string>): Layout {
  const nodes = new Map(graph.nodes.map((node) => [node.id, box(drawn.node(node.id) as Box)]));
  const edges = new Map<string, Point[]>();
  for (const edge of graph.edges) {
    const own = nodes.get(edge.source);
    if (edge.source === edge.target && own) edges.set(edge.id, loop(own));
    else edges.set(edge.id, (drawn.edge(edge.source, edge.target) as { points: Point[] }).points);
  }
  const frames = new Map([...namespaces].map((name) => [name, box(drawn.node(frame(name)) as Box)]));
  const size = drawn.graph() as { width?: number; height?: number };
  return { nodes, edges, namespaces: frames, width: size.width ?? 0, height: size.height ?? 0 };
}

/** Frames only where they part something. */
function framed(nodes: GraphNode[]): Set<string> {
  const names = new Set(nodes.map((node) => node.namespace).filter((name) => name && name !== "unknown"));
  return names.size > 1 ? names : new Set();
}

function frame(namespace: string): string {
  return `frame:${namespace}`;
}

function box(place: Box): Box {
  return { x: place.x, y: place.y, width: place.width, height: place.height };
}

function loop(own: Box): Point[] {
  const { x, y } = own;
  const top = y - own.height / 2;
  return [
    { x: x + 30, y: top },
    { x: x + 44, y: top - 30 },
    { x, y: top - 42 },
    { x: x - 44, y: top - 30 },
    { x: x - 30, y: top },
  ];
}

/** The node that lies next in a direction, for the arrow keys; the nearest one, with a penalty for being off the line. */
export function neighbour(from: string, direction: "left" | "right" | "up" | "down", at: Layout): string | null {
  const own = at.nodes.get(from);
  if (!own) return null;
  const sideways = direction === "left" || direction === "right";
  const sign = direction === "right" || direction === "down" ? 1 : -1;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, place] of at.nodes) {
    const along = sign * (sideways ? place.x - own.x : place.y - own.y);
    const across = Math.abs(sideways ? place.y - own.y : place.x - own.x);
    const cost = along + 2 * across;
    if (id !== from && along > 1 && cost < least) {
      best = id;
      least = cost;
    }
  }
  return best;
}
