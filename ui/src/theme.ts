export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function preferredTheme(): Theme {
  const kept = localStorage.getItem("theme");
  return THEMES.find((each) => each === kept) ?? "system";
}

/** Colours follow `data-theme` when it is set, the system otherwise. */
export function apply(theme: Theme): void {
  localStorage.setItem("theme", theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
