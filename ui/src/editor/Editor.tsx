import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import type { Finding } from "./findings";

interface Props {
  text: string;
  label: string;
  findings: Finding[];
  readOnly?: boolean;
  onChange: (text: string) => void;
}

/** The nonce lets the editor make its own style sheet under the page's policy. */
const NONCE = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";

const THEME = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 22%, transparent) !important",
  },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)" },
  ".cm-diagnostic": { padding: "0.35rem 0.6rem", fontFamily: "var(--sans)" },
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.number, tags.bool, tags.atom], color: "var(--warning)" },
  { tag: [tags.string, tags.content], color: "var(--text)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.meta], color: "var(--muted)" },
]);

export function Editor({ text, label, findings, readOnly = false, onChange }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef(onChange);
  told.current = onChange;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; what changes later is told to it
  useEffect(() => {
    if (!place.current) return;
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          basicSetup,
          yaml(),
          lintGutter(),
          THEME,
          syntaxHighlighting(COLOURS),
          EditorView.cspNonce.of(NONCE),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const own = view.current;
    if (own && own.state.doc.toString() !== text) {
      own.dispatch({ changes: { from: 0, to: own.state.doc.length, insert: text } });
    }
  }, [text]);

  useEffect(() => {
    const own = view.current;
    if (own) own.dispatch(setDiagnostics(own.state, diagnostics(own, findings)));
  }, [findings]);

  return <div className="editor" ref={place} />;
}

function diagnostics(view: EditorView, findings: Finding[]): Diagnostic[] {
  return findings.map((each) => {
    const line = view.state.doc.line(Math.max(1, Math.min(each.line, view.state.doc.lines)));
    const indent = line.text.length - line.text.trimStart().length;
    const message = each.fix ? `${each.message} (${each.fix})` : each.message;
    return { from: line.from + Math.min(indent, line.length), to: line.to, severity: each.severity, message };
  });
}
