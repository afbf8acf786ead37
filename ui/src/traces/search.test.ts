import { expect, test } from "vitest";
import { query } from "./search";

const NOW = 1_790_000_000_123;
const asked = (text: string) => Object.fromEntries(query(new URLSearchParams(text), NOW));

test("the last hour is looked through unless the address says otherwise", () => {
  expect(asked("")).toEqual({ limit: "20", start: "1789996400000000" });
  expect(asked("lookback=2d&limit=50")).toEqual({ limit: "50", start: "1789827200000000" });
  expect(asked("lookback=any")).toEqual({ limit: "20" });
  expect(asked("lookback=custom&start=5&end=7")).toEqual({ limit: "20", start: "5", end: "7" });
});

test("tags are read as people write them and as Jaeger does", () => {
  const wanted = '{"error":"true","http.status_code":"503"}';
  expect(asked("tags=error%3Dtrue http.status_code%3D503").tags).toBe(wanted);
  expect(asked('tags={"error":true,"http.status_code":"503"}').tags).toBe(wanted);
});

test("Jaeger's own links are understood", () => {
  expect(asked("service=web.default&operation=all&minDuration=5ms&lookback=5m")).toEqual({
    service: "web.default",
    minDuration: "5ms",
    limit: "20",
    start: "1789999700000000",
  });
});
