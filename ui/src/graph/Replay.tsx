import { useEffect, useState } from "react";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";

/** How far back one can look, in minutes: metrics are kept for six hours. */
const SPANS = [60, 180, 360];
const FRAMES = 60;
const FRAME_MS = 1500;

interface Props {
  /** Minutes ago; 0 is now. */
  ago: number;
  onChange: (minutes: number) => void;
}

/** The graph as it was: chosen by hand, or played from there until now. */
export function Replay({ ago, onChange }: Props) {
  const { t } = useWords();
  const [most, setMost] = useState(SPANS.find((each) => each >= ago) ?? 360);
  const [playing, setPlaying] = useState(false);
  const told = ago ? t("graph.ago", { n: ago }) : t("graph.live");
  const step = most / FRAMES;
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      onChange(Math.max(0, ago - step));
      if (ago <= step) setPlaying(false);
    }, FRAME_MS);
    return () => clearTimeout(timer);
  }, [playing, ago, step, onChange]);
  const play = () => {
    if (!playing && ago === 0) onChange(most);
    setPlaying(!playing);
  };
  return (
    <div className="replay">
      <label>
        <span>
          {t("graph.replay")}: <output>{told}</output>
        </span>
        <input
          type="range"
          min={-most}
          max={0}
          step={step}
          value={-ago}
          aria-valuetext={told}
          onChange={(event) => onChange(-Number(event.target.value))}
        />
      </label>
      <button type="button" className="plain" onClick={play} aria-label={t(playing ? "graph.pause" : "graph.play")}>
        <Icon name={playing ? "pause" : "play"} />
      </button>
      <label>
        <span className="hidden">{t("graph.span")}</span>
        <select
          value={most}
          onChange={(event) => {
            setMost(Number(event.target.value));
            onChange(Math.min(ago, Number(event.target.value)));
          }}
        >
          {SPANS.map((each) => (
            <option key={each} value={each}>
              {each / 60} {t("unit.h")}
            </option>
          ))}
        </select>
      </label>
      {ago > 0 && (
        <button
          type="button"
          className="link"
          onClick={() => {
            setPlaying(false);
            onChange(0);
          }}
        >
          {t("graph.live")}
        </button>
      )}
    </div>
  );
}
