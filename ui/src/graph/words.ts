/** What is written at edges and nodes. Pure. */
import type { GraphEdge, GraphNode } from "../api";
import { bytes, duration, rate, share, verdict } from "../format";
import type { Translate } from "../i18n";

export const LABELS = ["rate", "share", "errors", "p50", "p95", "p99", "none"] as const;
export type Label = (typeof LABELS)[number];

export function edgeLabel(edge: GraphEdge, label: Label, t: Translate): string {
  if (label === "none") return "";
  if (edge.rate === 0) return label === "rate" ? bytes(edge.bytes, t) : "";
  switch (label) {
    case "rate":
      return rate(edge.rate, t);
    case "share":
      return share(edge.share);
    case "errors":
      return edge.failed > 0 ? share(edge.failed) : "";
    default:
      return duration(edge.latency[label], t);
  }
}

export function edgeState(edge: GraphEdge): "ok" | "warning" | "error" | "tcp" {
  if (edge.rate === 0) return "tcp";
  const worst = verdict(edge.failed);
  return worst === "ok" && edge.refused >= 0.1 ? "warning" : worst;
}

export function nodeState(node: GraphNode): "ok" | "warning" | "error" | "idle" {
  if (node.health === "down") return "error";
  const failing = verdict(node.failed);
  if (failing !== "ok") return failing;
  if (node.health === "degraded") return "warning";
  return node.in === 0 && node.out === 0 && node.bytes === 0 ? "idle" : "ok";
}

export function nodeTitle(node: GraphNode, t: Translate): string {
  return node.kind === "unknown" ? t("node.unknown") : node.name;
}

export function nodeDetail(node: GraphNode, t: Translate): string {
  if (node.kind === "external") return t("node.external");
  if (node.kind === "unknown") return "";
  return node.kind === "app" && node.version ? node.version : node.namespace;
}

/** How wide a line is, in pixels: by the logarithm, so that 1 and 1,000 requests a second can both be seen. */
export function edgeWidth(edge: GraphEdge): number {
  const size = edge.rate > 0 ? edge.rate : edge.bytes / 10_000;
  return 1.5 + Math.min(2.5, Math.log10(1 + size));
}

/** How many dots travel along an edge at a time, and how long each takes: more for busier edges, slower for slow ones. */
export function dots(edge: GraphEdge): { count: number; seconds: number } {
  const size = edge.rate > 0 ? edge.rate : edge.bytes / 10_000;
  if (size <= 0) return { count: 0, seconds: 0 };
  const count = Math.max(1, Math.min(5, Math.round(Math.log2(1 + size))));
  const slow = Math.min(1, Math.log10(1 + (edge.latency.p50 ?? 20)) / 3.5);
  return { count, seconds: 1.6 + 3.4 * slow };
}
