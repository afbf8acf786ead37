import { useWords } from "../i18n";
import { Entries } from "../parts/ProblemList";
import type { Finding } from "./findings";

/** What is wrong with the text, each with its line. */
export function Findings({ findings }: { findings: Finding[] }) {
  const { t } = useWords();
  if (!findings.length) return null;
  const entries = findings.map((each) => ({
    ...each,
    key: `${each.line}/${each.path}/${each.message}`,
    about: <span className="quiet">{t("editor.line", { n: each.line })}</span>,
  }));
  return <Entries entries={entries} />;
}
