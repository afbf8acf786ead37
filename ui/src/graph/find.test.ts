import { describe, expect, it } from "vitest";
import type { GraphEdge, GraphNode } from "../api";
import { parse } from "./find";

const node: GraphNode = {
  id: "app/default/reviews/v1",
  kind: "app",
  namespace: "default",
  name: "reviews",
  version: "v1",
  in: 12,
  out: 3,
  bytes: 0,
  failed: 0.08,
  badges: ["fault"],
};
const edge: GraphEdge = {
  id: "a>b",
  source: "a",
  target: "b",
  protocol: "grpc",
  rate: 12,
  failed: 0.08,
  refused: 0,
  bytes: 0,
  secure: 1,
  share: 0.5,
  latency: { p50: 10, p95: 220, p99: null },
};
const holds = (text: string, item: GraphNode | GraphEdge) => parse(text).test?.(item) ?? null;

describe("what one types to find", () => {
  it.each([
    ["rev", true],
    ["details", false],
    ["!details", true],
    ["ns=default version=v1", true],
    ["ns=other", false],
    ["name~view", true],
    ["details|reviews", true],
    ["error>5%", true],
    ["rate<10", false],
    ["fault", true],
    ["!idle", true],
    ["mtls", false],
  ])("%s on a node is %s", (text, expected) => expect(holds(text, node)).toBe(expected));

  it.each([
    ["mtls", true],
    ["http|grpc", true],
    ["tcp", false],
    ["p95>200", true],
    ["p99>1", false],
    ["share>=50", true],
    ["protocol=grpc", true],
    ["reviews", false],
  ])("%s on an edge is %s", (text, expected) => expect(holds(text, edge)).toBe(expected));

  it("names a term that it does not understand, and tests nothing", () => {
    expect(parse("rev colour=red")).toEqual({ test: null, wrong: "colour=red" });
    expect(parse("  ")).toEqual({ test: null, wrong: "" });
  });
});
