import { useWords } from "../i18n";

const WINDOWS: [seconds: number, count: number, unit: "s" | "min" | "h"][] = [
  [30, 30, "s"],
  [60, 1, "min"],
  [300, 5, "min"],
  [600, 10, "min"],
  [1800, 30, "min"],
  [3600, 1, "h"],
  [10800, 3, "h"],
  [21600, 6, "h"],
];

interface Props {
  value: number;
  /** The shortest one that makes sense, in seconds. */
  least?: number;
  labelled?: boolean;
  onChange: (seconds: number) => void;
}

/** How much of the past is looked at. */
export function WindowSelect({ value, least = 0, labelled, onChange }: Props) {
  const { t } = useWords();
  return (
    <label>
      <span className={labelled ? undefined : "hidden"}>{t("graph.window")}</span>
      <select value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {WINDOWS.filter(([seconds]) => seconds >= least).map(([seconds, count, unit]) => (
          <option key={seconds} value={seconds}>
            {count} {t(`unit.${unit}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
