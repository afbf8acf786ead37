import { useWords } from "../i18n";
import type { Finding } from "./findings";

export function Findings({ findings }: { findings: Finding[] }) {
  const { t } = useWords();
  if (!findings.length) return null;
  return (
    <ul className="problems">
      {findings.map((each) => (
        <li key={`${each.line}/${each.path}/${each.message}`}>
          <span className={`mark ${each.severity}`}>
            <span className="hidden">{t(`severity.${each.severity}`, { n: 1 })}</span>
          </span>
          <div>
            <p>
              <span className="quiet">{t("editor.line", { n: each.line })}</span>{" "}
              {each.path && <code>{each.path}</code>}
            </p>
            <p>{each.message}</p>
            {each.fix && (
              <p className="quiet">
                {t("problem.fix")}: {each.fix}
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
