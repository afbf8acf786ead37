import { expect, test } from "vitest";
import { compare, has, read, type Span, type Told, tags, written } from "./trace";

function told(...spans: [id: string, parent: string, start: number, duration: number, service?: string][]): Told {
  return {
    traceID: "t",
    spans: spans.map(([id, parent, start, duration, service = "p"]) => ({
      spanID: id,
      operationName: id[0] ?? "",
      references: parent ? [{ refType: "CHILD_OF", spanID: parent }] : [],
      startTime: 1000 + start,
      duration,
      tags: [{ key: "http.status_code", value: 200 }],
      logs: [],
      processID: service,
    })),
    processes: { p: { serviceName: "web", tags: [] }, q: { serviceName: "data", tags: [] } },
  };
}

const ids = (spans: Span[]) => spans.map((each) => `${"-".repeat(each.depth)}${each.id}`).join(" ");

test("spans stand below their parents by when they began, lost parents at the top", () => {
  const trace = read(told(["c", "a", 60, 20], ["b", "a", 10, 20], ["a", "", 0, 100], ["x", "gone", 5, 5]));
  expect(ids(trace.spans)).toBe("a -b -c x");
  expect(trace.duration).toBe(100);
});

test("own time is what no child covers, however children overlap", () => {
  const trace = read(told(["a", "", 0, 100], ["b", "a", 10, 40], ["c", "a", 30, 40], ["d", "a", 90, 50]));
  expect(trace.spans[0]?.own).toBe(30);
});

test("the critical path goes back from the end by what ended last", () => {
  const trace = read(told(["a", "", 0, 100], ["b", "a", 10, 30], ["c", "a", 20, 70], ["d", "c", 30, 50]));
  const critical = Object.fromEntries(trace.spans.map((each) => [each.id, each.critical]));
  expect(critical).toEqual({
    a: [
      [90, 100],
      [0, 20],
    ],
    b: [],
    c: [
      [80, 90],
      [20, 30],
    ],
    d: [[30, 80]],
  });
  const length = Object.values(critical)
    .flat()
    .reduce((sum, [from, to]) => sum + to - from, 0);
  expect(length).toBe(100);
});

test("a thousand nested spans are read", () => {
  const chain = Array.from({ length: 2000 }, (_, n): [string, string, number, number] => [
    `s${n}`,
    n ? `s${n - 1}` : "",
    n,
    4000 - 2 * n,
  ]);
  expect(read(told(...chain)).spans.at(-1)?.depth).toBe(1999);
});

test("traces are laid over each other by who did what", () => {
  const one = read(told(["a", "", 0, 100], ["b1", "a", 0, 10, "q"], ["b2", "a", 20, 10, "q"]));
  const other = read(told(["a", "", 0, 150], ["b1", "a", 0, 50, "q"], ["c", "a", 60, 9]));
  expect(compare(one, other).map(({ operation, count, duration }) => [operation, count, duration])).toEqual([
    ["a", [1, 1], [100, 150]],
    ["b", [2, 1], [20, 50]],
    ["c", [0, 1], [0, 9]],
  ]);
});

test("tags are read as they are written", () => {
  expect(tags('a=b c="d e" f=')).toEqual({ a: "b", c: "d e", f: "" });
  expect(tags("a b=c")).toBeNull();
  expect(tags(written({ a: "b", c: "d e", f: "" }))).toEqual({ a: "b", c: "d e", f: "" });
});

test("a span is found by its service, its operation and its tags", () => {
  const [span] = read(told(["a", "", 0, 1])).spans;
  expect(["WEB", "status_code=200", "nothing"].map((text) => span && has(span, text))).toEqual([true, true, false]);
});
