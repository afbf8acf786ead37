/** Figures as people read them: two or three digits that matter, never more. */
import type { Translate } from "./i18n";

export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return Math.round(value).toString();
  if (size >= 10) return trimmed(value.toFixed(1));
  return size >= 0.01 ? trimmed(value.toFixed(2)) : "<0.01";
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function rate(value: number, t: Translate): string {
  const size = value >= 10_000 ? `${digits(value / 1000)}k` : digits(value);
  return `${size} ${t("unit.rps")}`;
}

export function duration(ms: number | null | undefined, t: Translate): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  return ms >= 1000 ? `${digits(ms / 1000)} ${t("unit.s")}` : `${digits(ms)} ${t("unit.ms")}`;
}

/** Microseconds, as traces tell time. */
export function micros(us: number, t: Translate): string {
  return us < 1000 ? `${Math.round(us)} ${t("unit.us")}` : duration(us / 1000, t);
}

/** A length of time in its largest unit that says something. */
export function span(seconds: number, t: Translate): string {
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const;
  const found = units.find(([, length]) => seconds >= length);
  return found
    ? `${digits(Math.floor((10 * seconds) / found[1]) / 10)} ${t(`unit.${found[0]}`)}`
    : duration(seconds * 1000, t);
}

/** A number of bytes. */
export function size(value: number): string {
  const place = value >= 1e9 ? 3 : value >= 1e6 ? 2 : value >= 1e3 ? 1 : 0;
  return `${digits(value / 1000 ** place)} ${["B", "kB", "MB", "GB"][place]}`;
}

/** A share as percent; what is small but not nothing never reads as 0 %. */
export function share(value: number): string {
  if (value > 0 && value < 0.001) return "<0.1%";
  const percent = value * 100;
  if (percent > 99.9 && value < 1) return ">99.9%";
  return `${percent >= 10 || Number.isInteger(percent) ? Math.round(percent) : trimmed(percent.toFixed(1))}%`;
}

export function bytes(value: number, t: Translate): string {
  return `${size(value)}${t("unit.bps")}`;
}

/** How bad a share of failures is: as Kiali, anything of 0.1 % is worth a look, and 10 % is a failure. */
export function verdict(failed: number): "ok" | "warning" | "error" {
  if (failed >= 0.1) return "error";
  return failed >= 0.001 ? "warning" : "ok";
}
