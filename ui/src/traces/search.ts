/** What is looked for, as the address tells it: the names are Jaeger's, so that its links lead here. Pure. */
import { tags } from "./trace";

export interface Found {
  id: string;
  service: string;
  operation: string;
  /** In microseconds, since 1970. */
  start: number;
  duration: number;
  spans: number;
  failed: number;
  services: { name: string; spans: number }[];
  request: string;
}

export const LOOKBACKS: [name: string, seconds: number][] = [
  ["5m", 300],
  ["15m", 900],
  ["1h", 3600],
  ["3h", 10800],
  ["6h", 21600],
  ["12h", 43200],
  ["24h", 86400],
  ["2d", 172800],
];
export const LIMITS = [20, 50, 100, 500];

/** The query for the mesh; `now` in milliseconds. */
export function query(asked: URLSearchParams, now: number): URLSearchParams {
  const wanted = new URLSearchParams();
  for (const name of ["service", "operation", "minDuration", "maxDuration"]) {
    const value = asked.get(name)?.trim();
    if (value && value !== "all") wanted.set(name, value);
  }
  wanted.set("limit", asked.get("limit") ?? "20");
  const named = tagsOf(asked);
  if (Object.keys(named).length) wanted.set("tags", JSON.stringify(named));
  for (const [name, value] of Object.entries(times(asked, now))) wanted.set(name, String(value));
  return wanted;
}

/** From when to when, in microseconds; neither for any time. */
function times(asked: URLSearchParams, now: number): { start?: number; end?: number } {
  const lookback = asked.get("lookback") ?? "1h";
  if (lookback === "custom") {
    const given = (name: string) => Number(asked.get(name)) || undefined;
    const [start, end] = [given("start"), given("end")];
    return { ...(start && { start }), ...(end && { end }) };
  }
  const seconds = secondsOf(lookback);
  // Whole seconds, so that the same question is the same address while a page is drawn twice.
  return seconds ? { start: Math.floor(now / 1000 - seconds) * 1_000_000 } : {};
}

function secondsOf(lookback: string): number {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(lookback) ?? [];
  return Number(count ?? 0) * ({ s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit ?? "s"] ?? 0);
}

/** Jaeger writes tags as JSON, people as key=value. */
export function tagsOf(asked: URLSearchParams): Record<string, string> {
  const text = asked.get("tags") ?? "";
  let found: Record<string, string> | null = null;
  try {
    const told: unknown = text.startsWith("{") ? JSON.parse(text) : null;
    if (told && typeof told === "object") {
      found = Object.fromEntries(Object.entries(told).map(([key, value]) => [key, String(value)]));
    }
  } catch {
    found = null;
  }
  return found ?? tags(text) ?? {};
}

const ORDERS = {
  newest: (one: Found, other: Found) => other.start - one.start,
  longest: (one: Found, other: Found) => other.duration - one.duration,
  shortest: (one: Found, other: Found) => one.duration - other.duration,
  most: (one: Found, other: Found) => other.spans - one.spans,
} as const;
export type Order = keyof typeof ORDERS;
export const ORDER_NAMES = Object.keys(ORDERS) as Order[];

export function sorted(found: Found[], order: Order): Found[] {
  return [...found].sort(ORDERS[order]);
}

/** The minute of a moment as an input of the browser wants it, in local time. */
export function local(us: number): string {
  const moment = new Date(us / 1000);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
