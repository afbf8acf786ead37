import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Problem, Severity } from "../api";
import { useWords } from "../i18n";

interface Entry {
  key: string;
  severity: Severity;
  /** What it is about: an object, or a line. */
  about: ReactNode;
  path: string;
  message: string;
  fix: string;
}

/** What is wrong, each with where, why, and how to mend it. */
export function Entries({ entries }: { entries: Entry[] }) {
  const { t } = useWords();
  return (
    <ul className="problems">
      {entries.map((each) => (
        <li key={each.key}>
          <span className={`mark ${each.severity}`}>
            <span className="hidden">{t(`severity.${each.severity}`, { n: 1 })}</span>
          </span>
          <div>
            <p>
              {each.about} {each.path && <code>{each.path}</code>}
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

/** Problems, each with its object, its field and how to mend it. */
export function ProblemList({ problems }: { problems: Problem[] }) {
  const entries = problems.map((each) => ({
    ...each,
    key: `${each.kind}/${each.namespace}/${each.name}/${each.path}/${each.reason}/${each.message}`,
    about: (
      <Link href={`/config/${each.resource}/${each.namespace || "-"}/${each.name}`}>
        {each.kind} {each.namespace ? `${each.namespace}/${each.name}` : each.name}
      </Link>
    ),
  }));
  return <Entries entries={entries} />;
}
