import { describe, expect, it } from "vitest";
import { evened, make, principal, START, type Target, WIZARDS } from "./make";

const target: Target = { namespace: "shop", name: "model", versions: ["v1", "v2"], apps: ["model"], subsets: {} };

describe("weights", () => {
  it.each([
    [{ v1: 90, v2: 10 }, [90, 10]],
    [{ v1: 70 }, [70, 30]],
    [{ v1: 130, v2: 10 }, [100, 0]],
    [{}, [50, 50]],
  ])("%j add up to 100", (weights, expected) => {
    expect(evened(weights as Record<string, number>, ["v1", "v2"]).map(([, weight]) => weight)).toEqual(expected);
  });

  it("of three versions add up as well", () => {
    expect(evened({}, ["a", "b", "c"]).map(([, weight]) => weight)).toEqual([33, 33, 34]);
  });
});

it("shifts traffic between subsets that it defines", () => {
  expect(make("shift", target, { ...START, weights: { v1: 90, v2: 10 } })).toBe(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: model-versions
  namespace: shop
spec:
  host: model
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: model-shift
  namespace: shop
spec:
  hosts: [model]
  http:
  - route:
    - destination: {host: model, subset: v1}
      weight: 90
    - destination: {host: model, subset: v2}
      weight: 10
`);
});

it("defines no subset that there is already", () => {
  const known = { ...target, subsets: { v1: "stable", v2: "v2" } };
  const made = make("shift", known, { ...START, weights: { v1: 90, v2: 10 } });
  expect([made.includes("DestinationRule"), made.includes("subset: stable")]).toEqual([false, true]);
});

it("quotes what YAML would take for something else", () => {
  const odd = { ...target, versions: ["1.0", "true"] };
  expect(make("shift", odd, START)).toContain('labels: {version: "1.0"}');
  expect(make("route", odd, { ...START, value: 'a"b: c' })).toContain('{exact: "a\\"b: c"}');
});

it("allows callers by their identity, and nobody when nothing is said", () => {
  expect(["agent", "web/agent", "spiffe://td/ns/a/sa/b"].map((each) => principal(each, "shop"))).toEqual([
    "cluster.local/ns/shop/sa/agent",
    "cluster.local/ns/web/sa/agent",
    "td/ns/a/sa/b",
  ]);
  expect(make("authz", target, START)).toContain("rules: []");
});

it.each(WIZARDS)("%s makes objects in the target's namespace", (wizard) => {
  expect(make(wizard, target, START)).toContain("namespace: shop");
});
