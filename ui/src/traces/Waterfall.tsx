import { type KeyboardEvent, type ReactNode, useMemo, useState } from "react";
import { micros } from "../format";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { SpanDetail } from "./SpanDetail";
import { hues, type Span, type Trace } from "./trace";

const MARKS = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  trace: Trace;
  marked: Set<string> | null;
  children: ReactNode;
}

/** The spans of a trace below each other, each where it lies in time. */
export function Waterfall({ trace, marked, children }: Props) {
  const { t } = useWords();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [critical, setCritical] = useState(true);
  const colours = useMemo(() => hues(trace.services), [trace]);
  const shown = useMemo(() => trace.spans.filter((span) => !within(span, closed)), [trace, closed]);
  const close = (span: Span, shut: boolean) => setClosed(changed(closed, span.id, shut));
  const onKey = (event: KeyboardEvent, span: Span) => {
    const place = shown.indexOf(span);
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -place, End: shown.length - 1 - place }[event.key];
    if (step !== undefined) focus(shown[place + step]);
    else if (event.key === "ArrowRight") close(span, false);
    else if (event.key === "ArrowLeft" && span.children.length > 0 && !closed.has(span.id)) close(span, true);
    else if (event.key === "ArrowLeft") focus(span.parent ?? undefined);
    else return;
    event.preventDefault();
  };
  return (
    <section className="waterfall framed" aria-label={t("trace.list")}>
      <div className="bar-tools">
        {children}
        <label className="switch">
          <input type="checkbox" checked={critical} onChange={(event) => setCritical(event.target.checked)} />
          {t("trace.critical")}
        </label>
        <button type="button" className="link" onClick={() => setClosed(new Set())}>
          {t("trace.unfold")}
        </button>
        <button type="button" className="link" onClick={() => setClosed(parents(trace))}>
          {t("trace.fold")}
        </button>
        <span className="hidden">{t("trace.keys")}</span>
      </div>
      <div className="ruler" aria-hidden="true">
        <span />
        <span className="lane">
          {MARKS.map((part) => (
            <span key={part} style={{ left: `${part * 100}%` }}>
              {part ? micros(trace.duration * part, t) : "0"}
            </span>
          ))}
        </span>
      </div>
      <ul>
        {shown.map((span) => (
          <Line
            key={span.id}
            span={span}
            trace={trace}
            hue={colours.get(span.service) ?? 0}
            closed={closed.has(span.id)}
            open={open.has(span.id)}
            dim={marked !== null && !marked.has(span.id)}
            critical={critical}
            onClose={close}
            onOpen={() => setOpen(changed(open, span.id, !open.has(span.id)))}
            onKey={onKey}
          />
        ))}
      </ul>
    </section>
  );
}

interface LineProps {
  span: Span;
  trace: Trace;
  hue: number;
  closed: boolean;
  open: boolean;
  dim: boolean;
  critical: boolean;
  onClose: (span: Span, shut: boolean) => void;
  onOpen: () => void;
  onKey: (event: KeyboardEvent, span: Span) => void;
}

function Line({ span, trace, hue, closed, open, dim, critical, onClose, onOpen, onKey }: LineProps) {
  const { t } = useWords();
  const name = `${span.service} ${span.operation}`;
  const whole = Math.max(1, trace.duration);
  const part = (us: number) => `${(100 * us) / whole}%`;
  const side = (span.start + span.duration) / whole < 0.88 ? "after" : span.start / whole > 0.12 ? "before" : "on";
  return (
    <li className={`span hue-${hue}${dim ? " dim" : ""}${open ? " open" : ""}`}>
      <div className="row">
        <span className="who" style={{ paddingInlineStart: `${Math.min(span.depth, 16) * 0.9}rem` }}>
          {span.children.length > 0 ? (
            <button
              type="button"
              className="plain fold"
              tabIndex={-1}
              aria-label={t(closed ? "trace.expand" : "trace.collapse", { name })}
              onClick={() => onClose(span, !closed)}
            >
              <Icon name={closed ? "right" : "down"} size={12} />
            </button>
          ) : (
            <span className="fold" />
          )}
          <button
            id={`span:${span.id}`}
            type="button"
            className="name"
            aria-expanded={open}
            onClick={onOpen}
            onKeyDown={(event) => onKey(event, span)}
          >
            <strong>{span.service}</strong> <span className="quiet">{span.operation}</span>
            <span className="hidden">, {micros(span.duration, t)}</span>
            {span.failed && <Icon name="problem" size={13} title={t("span.error")} />}
          </button>
        </span>
        <span className="lane" onClick={onOpen} aria-hidden="true">
          <span className="bar" style={{ left: part(span.start), width: `max(2px, ${part(span.duration)})` }} />
          {critical &&
            span.critical.map(([from, to]) => (
              <span key={from} className="critical" style={{ left: part(from), width: part(to - from) }} />
            ))}
          <span
            className={`length ${side}`}
            style={
              side === "before"
                ? { right: `calc(100% - ${part(span.start)})` }
                : { left: part(side === "after" ? span.start + span.duration : span.start) }
            }
          >
            {micros(span.duration, t)}
          </span>
        </span>
      </div>
      {open && <SpanDetail span={span} />}
    </li>
  );
}

function focus(span: Span | undefined): void {
  if (span) document.getElementById(`span:${span.id}`)?.focus();
}

function within(span: Span, closed: ReadonlySet<string>): boolean {
  for (let each = span.parent; each; each = each.parent) if (closed.has(each.id)) return true;
  return false;
}

function parents(trace: Trace): Set<string> {
  return new Set(trace.spans.filter((span) => span.depth > 0 && span.children.length).map((span) => span.id));
}

function changed(before: ReadonlySet<string>, id: string, add: boolean): Set<string> {
  const after = new Set(before);
  if (add) after.add(id);
  else after.delete(id);
  return after;
}
