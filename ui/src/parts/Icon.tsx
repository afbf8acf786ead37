/** Signs, drawn on a grid of 16. With a title they are told to screen readers, without one they are decoration. */

const PATHS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  gateway: "M2.5 8h9M8.5 4.5 12 8l-3.5 3.5M14 3v10",
  "virtual-service": "M2.5 8h4l4-4h3M6.5 8l4 4h3",
  fault: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  "circuit-breaker": "M1.5 10h4L11 5M10.5 10h4",
  problem: "M8 2 1.8 13.5h12.4zM8 6.5v3M8 11.6v.2",
  "no-sidecar": "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.4 3.4",
  pause: "M5 3.5v9M11 3.5v9",
  play: "M4.5 3 13 8l-8.5 5z",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  system: "M2 3h12v8H2zM6 14h4",
  out: "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
  down: "M3.5 6 8 10.5 12.5 6",
  right: "M6 3.5 10.5 8 6 12.5",
  check: "M3 8.5l3.2 3.2L13 4.8",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  size?: number;
  x?: number;
  y?: number;
  title?: string;
}

export function Icon({ name, size = 16, x, y, title }: Props) {
  const told = title ? { role: "img", "aria-label": title } : { "aria-hidden": true };
  return (
    <svg className="icon" viewBox="0 0 16 16" width={size} height={size} x={x} y={y} {...told}>
      {title && <title>{title}</title>}
      <path d={PATHS[name]} />
    </svg>
  );
}
