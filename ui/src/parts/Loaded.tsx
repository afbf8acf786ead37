import type { ReactNode } from "react";
import { useWords } from "../i18n";

interface Props<T> {
  data: T | undefined;
  error: Error | undefined;
  children: (data: T) => ReactNode;
}

/** What was loaded; while a mesh does not answer, what was loaded last, with a word about it. */
export function Loaded<T>({ data, error, children }: Props<T>) {
  const { t } = useWords();
  return (
    <>
      {error && (
        <p className="notice error" role="status">
          {error.message === "Failed to fetch" ? t("app.offline") : error.message}
        </p>
      )}
      {data === undefined ? !error && <p className="waiting">{t("app.loading")}</p> : children(data)}
    </>
  );
}
