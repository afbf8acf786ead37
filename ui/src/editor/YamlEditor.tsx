import { lazy, Suspense, useEffect, useState } from "react";
import { post, Refusal } from "../api";
import { useWords } from "../i18n";
import { Findings } from "./Findings";
import type { Finding, Review } from "./findings";

const Editor = lazy(() => import("./Editor").then((module) => ({ default: module.Editor })));
/** How long one has to pause for the text to be looked at. */
const PAUSE_MS = 350;

interface Props {
  text: string;
  version?: string;
  onApplied: (review: Review) => void;
  onCancel?: () => void;
  onDelete?: () => void;
}

/** A text that the mesh looks at as one types, and takes when one says so. */
export function YamlEditor({ text: given, version = "", onApplied, onCancel, onDelete }: Props) {
  const { t } = useWords();
  const [text, setText] = useState(given);
  const [review, setReview] = useState<Review | null>(null);
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => setText(given), [given]);
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(() => {
      post<Review>("/api/config/check", { yaml: text, version })
        .then((found) => {
          if (!stale) setReview(found);
        })
        .catch((error: Error) => !stale && setRefused(error.message));
    }, PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text, version]);

  const apply = () => {
    setBusy(true);
    setRefused("");
    post<Review>("/api/config/apply", { yaml: text, version })
      .then(onApplied)
      .catch((error: Error) => {
        const told = error instanceof Refusal ? error.told : undefined;
        if (told && "findings" in told) setReview(told as Review);
        else setRefused(error.message);
      })
      .finally(() => setBusy(false));
  };
  const findings: Finding[] = review?.findings ?? [];
  return (
    <div className="yaml">
      <Suspense fallback={<p className="waiting">{t("app.loading")}</p>}>
        <Editor text={text} label={t("editor.label")} findings={findings} onChange={setText} />
      </Suspense>
      <div className="verdict" role="status" aria-live="polite">
        {refused && <p className="notice error">{refused}</p>}
        {review && findings.length === 0 && <p className="ok">{t("editor.right")}</p>}
        <Findings findings={findings} />
      </div>
      <div className="buttons">
        <button type="button" className="primary" disabled={busy || review?.ok === false} onClick={apply}>
          {t("editor.apply")}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            {t("editor.cancel")}
          </button>
        )}
        {onDelete && (
          <button type="button" className="danger" onClick={onDelete}>
            {t("editor.delete")}
          </button>
        )}
      </div>
    </div>
  );
}
