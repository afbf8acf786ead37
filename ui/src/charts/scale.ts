/** Numbers to places, for charts. Pure. */

export type Points = [time: number, value: number][];

export interface Line {
  name: string;
  points: Points;
  state: string;
}

/** Round numbers for an axis from 0: at most five, the last one not below `most`. */
export function ticks(most: number): number[] {
  if (!(most > 0)) return [0, 1];
  const raw = most / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= raw) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}

/** Round moments between two times in seconds: four or so, on whole minutes or hours. */
export function moments(start: number, end: number): number[] {
  const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200];
  const step = steps.find((each) => (end - start) / each <= 5) ?? 14_400;
  const first = Math.ceil(start / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, place) => first + place * step);
}

export function largest(lines: Line[]): number {
  return lines.reduce((most, line) => line.points.reduce((found, [, value]) => Math.max(found, value), most), 0);
}

/** Where a line has a gap: no point for longer than two and a half steps. */
export function pieces(points: Points, step: number): Points[] {
  const found: Points[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (point[0] - last > 2.5 * step) found.push([]);
    found.at(-1)?.push(point);
    last = point[0];
  }
  return found;
}

/** The value of a line at the step nearest to a moment. */
export function at(points: Points, moment: number, step: number): number | null {
  let best: [number, number] | null = null;
  for (const point of points) {
    if (!best || Math.abs(point[0] - moment) < Math.abs(best[0] - moment)) best = point;
  }
  return best && Math.abs(best[0] - moment) <= step ? best[1] : null;
}
