import { Link } from "wouter";
import type { Problem } from "../api";
import { useWords } from "../i18n";

/** Problems, each with its object, its field and how to mend it. */
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
              <Link href={`/config/${each.resource}/${each.namespace || "-"}/${each.name}`}>
                {each.kind} {each.namespace ? `${each.namespace}/${each.name}` : each.name}
              </Link>{" "}
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
