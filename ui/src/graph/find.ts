/**
 * What one types to find or hide: terms parted by spaces, all of which must hold; "!" turns one round, "|" parts choices.
 *
 *   reviews              its name contains "reviews"          ns=default    namespace (also app, version, protocol)
 *   rate>10  error>5     requests per second, percent         p95>200       milliseconds (also p50, p99, share)
 *   mtls  fault  idle    signs, and nodes without traffic      http|grpc    either
 */
import type { Badge, GraphEdge, GraphNode } from "../api";

export type Test = (item: GraphNode | GraphEdge) => boolean;
export interface Query {
  test: Test | null;
  wrong: string;
}

const SIGNS: Record<string, Badge> = {
  vs: "virtual-service",
  "virtual-service": "virtual-service",
  fault: "fault",
  cb: "circuit-breaker",
  "circuit-breaker": "circuit-breaker",
  problem: "problem",
  "no-sidecar": "no-sidecar",
};
const NUMBERS = ["rate", "error", "p50", "p95", "p99", "share", "in", "out"] as const;
const WORDS = ["name", "ns", "namespace", "app", "version", "protocol"] as const;

export function isEdge(item: GraphNode | GraphEdge): item is GraphEdge {
  return "target" in item;
}

export function parse(text: string): Query {
  const tests: Test[] = [];
  for (const term of text.trim().split(/\s+/).filter(Boolean)) {
    const choices = term.split("|").map(single);
    if (choices.some((each) => each === null)) return { test: null, wrong: term };
    const known = choices as Test[];
    tests.push((item) => known.some((test) => test(item)));
  }
  return { test: tests.length ? (item) => tests.every((test) => test(item)) : null, wrong: "" };
}

function single(term: string): Test | null {
  if (term.startsWith("!")) {
    const inner = single(term.slice(1));
    return inner && ((item) => !inner(item));
  }
  const compared = /^([a-z0-9]+)(>=|<=|!=|>|<|=|~)(.+)$/i.exec(term);
  if (compared) return comparison(compared[1] ?? "", compared[2] ?? "", compared[3] ?? "");
  return word(term.toLowerCase());
}

function comparison(name: string, sign: string, value: string): Test | null {
  if ((NUMBERS as readonly string[]).includes(name)) {
    const wanted = Number(value.replace(/%$/, ""));
    if (Number.isNaN(wanted) || sign === "~") return null;
    return (item) => {
      const own = figure(item, name);
      return own !== null && holds(own, sign, wanted);
    };
  }
  if ((WORDS as readonly string[]).includes(name) && ["=", "!=", "~"].includes(sign)) {
    return (item) => {
      const own = text(item, name);
      if (own === null) return false;
      if (sign === "~") return own.includes(value);
      return sign === "=" ? own === value : own !== value;
    };
  }
  return null;
}

function word(term: string): Test | null {
  if (!term) return null;
  if (term === "mtls") return (item) => isEdge(item) && (item.secure ?? 0) > 0;
  if (term === "idle") return (item) => !isEdge(item) && item.in === 0 && item.out === 0 && item.bytes === 0;
  if (term === "http" || term === "grpc" || term === "tcp") return (item) => isEdge(item) && item.protocol === term;
  const sign = SIGNS[term];
  if (sign) return (item) => !isEdge(item) && item.badges.includes(sign);
  return (item) => !isEdge(item) && item.name.toLowerCase().includes(term);
}

function figure(item: GraphNode | GraphEdge, name: string): number | null {
  if (isEdge(item)) {
    if (name === "rate") return item.rate;
    if (name === "error") return item.failed * 100;
    if (name === "share") return item.share * 100;
    return name === "p50" || name === "p95" || name === "p99" ? item.latency[name] : null;
  }
  if (name === "in" || name === "rate") return item.in;
  if (name === "out") return item.out;
  return name === "error" ? item.failed * 100 : null;
}

function text(item: GraphNode | GraphEdge, name: string): string | null {
  if (isEdge(item)) return name === "protocol" ? item.protocol : null;
  if (name === "ns" || name === "namespace") return item.namespace;
  if (name === "name" || name === "app") return item.name;
  return name === "version" ? item.version : null;
}

function holds(own: number, sign: string, wanted: number): boolean {
  switch (sign) {
    case ">":
      return own > wanted;
    case "<":
      return own < wanted;
    case ">=":
      return own >= wanted;
    case "<=":
      return own <= wanted;
    case "!=":
      return own !== wanted;
    default:
      return own === wanted;
  }
}
