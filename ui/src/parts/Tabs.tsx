import type { KeyboardEvent, ReactNode } from "react";
import { useSearchParams } from "wouter";

interface Props<T extends string> {
  tabs: [name: T, title: string][];
  children: (tab: T) => ReactNode;
}

/** Tabs; which one is open is in the address. */
export function Tabs<T extends string>({ tabs, children }: Props<T>) {
  const [search, setSearch] = useSearchParams();
  const names = tabs.map(([name]) => name);
  const tab = names.find((name) => name === search.get("tab")) ?? (names[0] as T);
  const open = (name: T) => setSearch(name === names[0] ? {} : { tab: name }, { replace: true });
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = names[(names.indexOf(tab) + step + names.length) % names.length];
    if (!step || !next) return;
    open(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <>
      <div role="tablist" className="tabs">
        {tabs.map(([name, title]) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={tab === name}
            aria-controls={tab === name ? `panel-${name}` : undefined}
            tabIndex={tab === name ? 0 : -1}
            onClick={() => open(name)}
            onKeyDown={move}
          >
            {title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`}>
        {children(tab)}
      </div>
    </>
  );
}
