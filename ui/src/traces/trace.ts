/** Traces as they are drawn: a tree of spans, and the path that decided how long all of it took. Pure. */

export type Value = string | number | boolean;
export interface Pair {
  key: string;
  value: Value;
}

/** As Jaeger's API tells a trace. Times are in microseconds. */
export interface Told {
  traceID: string;
  spans: {
    spanID: string;
    operationName: string;
    references: { refType: string; spanID: string }[];
    startTime: number;
    duration: number;
    tags: Pair[];
    logs: { timestamp: number; fields: Pair[] }[];
    processID: string;
  }[];
  processes: Record<string, { serviceName: string; tags: Pair[] }>;
}

export interface Span {
  id: string;
  parent: Span | null;
  children: Span[];
  depth: number;
  service: string;
  operation: string;
  kind: string;
  failed: boolean;
  /** Since the trace began. */
  start: number;
  duration: number;
  /** Not spent waiting for children. */
  own: number;
  /** What of it lies on the critical path, from when to when. */
  critical: [from: number, to: number][];
  tags: Pair[];
  process: Pair[];
  logs: { at: number; fields: Pair[] }[];
}

export interface Trace {
  id: string;
  /** Since 1970. */
  start: number;
  duration: number;
  /** In the order of the tree. */
  spans: Span[];
  services: string[];
}

export function read(told: Told): Trace {
  const start = Math.min(...told.spans.map((each) => each.startTime));
  const known = new Map(told.spans.map((each) => [each.spanID, single(told, each, start)]));
  const roots: Span[] = [];
  for (const each of told.spans) {
    const span = known.get(each.spanID);
    const parent = known.get(each.references[0]?.spanID ?? "");
    if (!span) continue;
    if (parent && parent !== span) {
      span.parent = parent;
      parent.children.push(span);
    } else roots.push(span);
  }
  const spans = ordered(roots);
  for (const span of spans) span.own = span.duration - covered(span);
  for (const root of roots.slice(0, 1)) decide(root, end(root));
  return {
    id: told.traceID,
    start,
    duration: Math.max(...spans.map(end), 0),
    spans,
    services: [...new Set(spans.map((each) => each.service))],
  };
}

function single(told: Told, each: Told["spans"][number], start: number): Span {
  const process = told.processes[each.processID];
  const tag = (key: string) => each.tags.find((one) => one.key === key)?.value;
  return {
    id: each.spanID,
    parent: null,
    children: [],
    depth: 0,
    service: process?.serviceName ?? "",
    operation: each.operationName,
    kind: String(tag("span.kind") ?? ""),
    failed: tag("error") === true || tag("error") === "true",
    start: each.startTime - start,
    duration: each.duration,
    own: each.duration,
    critical: [],
    tags: each.tags,
    process: process?.tags ?? [],
    logs: each.logs.map((log) => ({ at: log.timestamp - start, fields: log.fields })),
  };
}

export function end(span: Span): number {
  return span.start + span.duration;
}

/** Parents before children, children by when they began. Without recursion: a chain may be as long as a trace. */
function ordered(roots: Span[]): Span[] {
  const found: Span[] = [];
  const waiting = byStart(roots).toReversed();
  for (let span = waiting.pop(); span; span = waiting.pop()) {
    span.depth = span.parent ? span.parent.depth + 1 : 0;
    found.push(span);
    waiting.push(...byStart(span.children).toReversed());
  }
  return found;
}

function byStart(spans: Span[]): Span[] {
  return spans.sort((one, other) => one.start - other.start);
}

/** How much of a span its children cover. */
function covered(span: Span): number {
  let sum = 0;
  let seen = span.start;
  for (const child of span.children) {
    const [from, to] = [Math.max(seen, child.start), Math.min(end(child), end(span))];
    if (to > from) {
      sum += to - from;
      seen = to;
    }
  }
  return sum;
}

/** From the end backwards: what ended last held the rest up, and so on before it began. */
function decide(root: Span, until: number): void {
  const waiting: [Span, number][] = [[root, until]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [span, last] = next;
    let cursor = last;
    for (const child of [...span.children].sort((one, other) => end(other) - end(one))) {
      const stop = Math.min(end(child), end(span));
      if (stop > cursor || child.start >= cursor || stop <= span.start) continue;
      if (cursor > stop) span.critical.push([stop, cursor]);
      waiting.push([child, stop]);
      cursor = Math.max(child.start, span.start);
    }
    if (cursor > span.start) span.critical.push([span.start, cursor]);
  }
}

/** Whether a text is in what a span is, does or tells. */
export function has(span: Span, text: string): boolean {
  const wanted = text.toLowerCase();
  const pairs = [...span.tags, ...span.process, ...span.logs.flatMap((log) => log.fields)];
  return [span.service, span.operation, ...pairs.map((each) => `${each.key}=${each.value}`)].some((each) =>
    each.toLowerCase().includes(wanted),
  );
}

/** One of eight colours for each service, the same one whenever it is met: neighbours differ in a trace. */
export function hues(services: string[]): Map<string, number> {
  return new Map(services.map((name, place) => [name, place % 8]));
}

export interface Row {
  key: string;
  depth: number;
  service: string;
  operation: string;
  /** How often, and how long together, on either side. */
  count: [number, number];
  duration: [number, number];
}

/** Two traces laid over each other by who did what: calls of the same path count together. */
export function compare(one: Trace, other: Trace): Row[] {
  const rows: Row[] = [];
  const roots = (trace: Trace) => trace.spans.filter((span) => !span.parent);
  lay(roots(one), roots(other), "", 0, rows);
  return rows;
}

function lay(one: Span[], other: Span[], path: string, depth: number, rows: Row[]): void {
  for (const name of new Set([...one, ...other].map(called))) {
    const sides = [one, other].map((side) => side.filter((span) => called(span) === name));
    const [left = [], right = []] = sides;
    const first = left[0] ?? right[0];
    if (!first) continue;
    const key = `${path}/${name}`;
    rows.push({
      key,
      depth,
      service: first.service,
      operation: first.operation,
      count: [left.length, right.length],
      duration: [total(left), total(right)],
    });
    lay(children(left), children(right), key, depth + 1, rows);
  }
}

function called(span: Span): string {
  return `${span.service} ${span.kind} ${span.operation}`;
}

function total(spans: Span[]): number {
  return spans.reduce((sum, span) => sum + span.duration, 0);
}

function children(spans: Span[]): Span[] {
  return spans.flatMap((span) => span.children);
}

/** `error=true http.url="a b"` as an object; null when it cannot be read. */
export function tags(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  const rest = text.replace(/([^\s="]+)=(?:"([^"]*)"|([^\s"]*))(?=\s|$)/g, (_, key, quoted, plain) => {
    found[key] = quoted ?? plain;
    return "";
  });
  return rest.trim() ? null : found;
}

export function written(found: Record<string, string>): string {
  return Object.entries(found)
    .map(([key, value]) => `${key}=${/\s|^$/.test(value) ? `"${value}"` : value}`)
    .join(" ");
}
