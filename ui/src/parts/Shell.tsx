import { type ReactNode, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Session } from "../api";
import { useWords } from "../i18n";
import type { Key, Language } from "../messages";
import { apply, preferredTheme, THEMES } from "../theme";
import { useAlerts } from "../views/AlertsPage";
import { Icon, type IconName } from "./Icon";

const SECTIONS: [path: string, name: Key][] = [
  ["/overview", "nav.overview"],
  ["/graph", "nav.graph"],
  ["/workloads", "nav.workloads"],
  ["/search", "nav.traces"],
  ["/alerts", "nav.alerts"],
  ["/config", "nav.config"],
  ["/mesh", "nav.mesh"],
];
const THEME_ICONS: Record<string, IconName> = { system: "system", light: "sun", dark: "moon" };

/** The section of pages whose address does not begin with its. */
function also(where: string): string {
  if (where.startsWith("/services") || where.startsWith("/apps/")) return "/workloads";
  if (where.startsWith("/trace/")) return "/search";
  return where.startsWith("/wizards") ? "/config" : "";
}

interface Props {
  session: Extract<Session, { signedIn: true }>;
  children: ReactNode;
  onLanguage: (language: Language) => void;
  onLeave: () => void;
}

export function Shell({ session, children, onLanguage, onLeave }: Props) {
  const { t } = useWords();
  const [where] = useLocation();
  useEffect(() => {
    const current = where && document.querySelector(".top nav [aria-current]");
    if (current) current.scrollIntoView({ block: "nearest", inline: "center" });
  }, [where]);
  return (
    <>
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <header className="top">
        <Brand mesh={session.mesh} />
        <nav aria-label={t("nav.label")}>
          {SECTIONS.map(([path, name]) => (
            <Link
              key={path}
              href={path}
              aria-current={where.startsWith(path) || also(where) === path ? "page" : undefined}
            >
              {t(name)}
              {path === "/alerts" && <Firing />}
            </Link>
          ))}
        </nav>
        <div className="tools">
          <Preferences onLanguage={onLanguage} />
          <button
            type="button"
            className="plain"
            onClick={onLeave}
            title={t("menu.logout")}
            aria-label={t("menu.logout")}
          >
            <Icon name="out" />
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** How many alerts fire, where one sees it from every view. */
function Firing() {
  const { t } = useWords();
  const { firing } = useAlerts();
  if (!firing) return null;
  return (
    <span className="chip error" title={t("alerts.firing", { n: firing })}>
      {firing}
    </span>
  );
}

export function Brand({ mesh }: { mesh?: string }) {
  return (
    <div className="brand">
      <svg viewBox="0 0 12 28" width="11" height="25" aria-hidden="true">
        <rect width="12" height="28" rx="6" className="post" />
        <circle cx="6" cy="6.5" r="2.8" className="red" />
        <circle cx="6" cy="14" r="2.8" className="amber" />
        <circle cx="6" cy="21.5" r="2.8" className="green" />
      </svg>
      <strong>Semafor</strong>
      {mesh && mesh !== "semafor" && <span className="mesh">{mesh}</span>}
    </div>
  );
}

export function Preferences({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const { t, language } = useWords();
  const [theme, setTheme] = useState(preferredTheme);
  const next = () => {
    const chosen = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    apply(chosen);
    setTheme(chosen);
  };
  const told = t("menu.theme", { theme: t(`theme.${theme}`) });
  return (
    <>
      <button
        type="button"
        className="plain"
        onClick={() => onLanguage(language === "en" ? "ru" : "en")}
        lang={language === "en" ? "ru" : "en"}
        aria-label={`${language === "en" ? "RU" : "EN"}: ${t("menu.language")}`}
        title={t("menu.language")}
      >
        {language === "en" ? "RU" : "EN"}
      </button>
      <button type="button" className="plain" onClick={next} aria-label={told} title={told}>
        <Icon name={THEME_ICONS[theme] ?? "system"} />
      </button>
    </>
  );
}
