import { createContext, useContext } from "react";
import { type Key, type Language, messages } from "./messages";

export type Values = Record<string, string | number>;
export type Translate = (key: Key, values?: Values) => string;

/** The words for `key`; `values.n` chooses the form of the number. */
export function translate(language: Language, key: Key, values: Values = {}): string {
  const forms = messages[key][language === "ru" ? 1 : 0].split("|");
  const form = forms.length > 1 ? forms[index(language, Number(values.n ?? 0), forms.length)] : forms[0];
  return (form ?? "").replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

function index(language: Language, n: number, forms: number): number {
  const order = language === "ru" ? ["one", "few", "many"] : ["one", "other"];
  const place = order.indexOf(new Intl.PluralRules(language).select(n));
  return place < 0 ? forms - 1 : Math.min(place, forms - 1);
}

export interface Words {
  language: Language;
  t: Translate;
}

export const WordsContext = createContext<Words>({ language: "en", t: (key, values) => translate("en", key, values) });

export function useWords(): Words {
  return useContext(WordsContext);
}

export function preferredLanguage(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "ru") return kept;
  return navigator.languages.find((each) => /^(en|ru)/.test(each))?.startsWith("ru") ? "ru" : "en";
}
