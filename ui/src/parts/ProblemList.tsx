import type { Problem } from "../api";
import { useWords } from "../i18n";

export function ProblemList({ problems }: { problems: Problem[] }) {
  const { t } = useWords();
  return (
    <ul className="problems">
      {problems.map((each) => (
        <li key={`${each.kind}/${each.namespace}/${each.name}/${each.path}/${each.reason}/${each.message}`}>
          <span className={`mark ${each.severity}`}>
            <span className="hidden">{t(`severity.${each.severity}`, { n: 1 })}</span>
          </span>
          <div>
            <p>
              <strong>
                {each.kind} {each.namespace ? `${each.namespace}/${each.name}` : each.name}
              </strong>{" "}
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
