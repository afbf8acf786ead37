import { Link } from "wouter";
import { micros } from "../format";
import { useWords } from "../i18n";
import type { Pair, Span } from "./trace";

/** What a span tells: its tags, its process, and what happened within it. */
export function SpanDetail({ span }: { span: Span }) {
  const { t } = useWords();
  const [app, namespace] = span.service.split(".");
  return (
    <div className="detail">
      <dl className="figures">
        <Figure name={t("span.start")} told={micros(span.start, t)} />
        <Figure name={t("span.duration")} told={micros(span.duration, t)} />
        <Figure name={t("span.own")} told={micros(span.own, t)} />
        {span.kind && <Figure name={t("span.kind")} told={span.kind} />}
        <Figure name="ID" told={span.id} />
        {namespace && (
          <div>
            <dt>{t("workload.app")}</dt>
            <dd>
              <Link href={`/apps/${namespace}/${app}`}>{app}</Link>
            </dd>
          </div>
        )}
      </dl>
      <Pairs title={t("span.tags")} pairs={span.tags} />
      <Pairs title={t("span.process")} pairs={span.process} />
      {span.logs.length > 0 && (
        <section>
          <h3>{t("span.logs")}</h3>
          {span.logs.map((log, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no names of their own, and their order stays
            <div key={place} className="event">
              <span className="quiet">{micros(log.at, t)}</span>
              <List pairs={log.fields} />
            </div>
          ))}
        </section>
      )}
    </div>
  );
}

function Figure({ name, told }: { name: string; told: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{told}</dd>
    </div>
  );
}

function Pairs({ title, pairs }: { title: string; pairs: Pair[] }) {
  if (!pairs.length) return null;
  return (
    <section>
      <h3>{title}</h3>
      <List pairs={pairs} />
    </section>
  );
}

function List({ pairs }: { pairs: Pair[] }) {
  return (
    <dl className="pairs">
      {[...pairs]
        .sort((one, other) => one.key.localeCompare(other.key))
        .map((pair) => (
          <div key={pair.key}>
            <dt>{pair.key}</dt>
            <dd>{String(pair.value)}</dd>
          </div>
        ))}
    </dl>
  );
}
