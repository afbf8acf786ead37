import { useEffect, useMemo, useState } from "react";
import { SWRConfig } from "swr";
import { Redirect, Route, Switch } from "wouter";
import { get, post, Refusal, remember, type Session } from "./api";
import { preferredLanguage, translate, type Words, WordsContext } from "./i18n";
import type { Language } from "./messages";
import { Shell } from "./parts/Shell";
import { AlertsPage } from "./views/AlertsPage";
import { AppPage } from "./views/AppPage";
import { ConfigPage } from "./views/ConfigPage";
import { GraphPage } from "./views/GraphPage";
import { Login } from "./views/Login";
import { MeshPage } from "./views/MeshPage";
import { OverviewPage } from "./views/OverviewPage";
import { NewRulePage, RulePage } from "./views/RulePage";
import { ServicePage } from "./views/ServicePage";
import { TracePage } from "./views/TracePage";
import { TracesPage } from "./views/TracesPage";
import { WizardPage } from "./views/WizardPage";
import { WorkloadPage } from "./views/WorkloadPage";
import { WorkloadsPage } from "./views/WorkloadsPage";

/** Figures are scraped every few seconds, so asking more often would show nothing new. */
export const REFRESH_MS = 5000;

/** Where people look for Jaeger, traces come first. */
const JAEGER_PORT = "16686";

export function App() {
  const [language, setLanguage] = useState<Language>(preferredLanguage);
  const [session, setSession] = useState<Session | null>(null);
  const [refused, setRefused] = useState("");
  const words = useMemo<Words>(() => ({ language, t: (key, values) => translate(language, key, values) }), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem("language", language);
  }, [language]);
  useEffect(() => {
    enter()
      .then((found) => setSession(remember(found)))
      .catch((error: Error) => {
        setRefused(error.message);
        get<Session>("/api/session")
          .then(setSession)
          .catch(() => undefined);
      });
  }, []);
  const config = useMemo(
    () => ({
      fetcher: get,
      refreshInterval: REFRESH_MS,
      keepPreviousData: true,
      dedupingInterval: 1000,
      onError: (error: unknown) => {
        if (error instanceof Refusal && error.code === 401) setSession({ signedIn: false, ways: ["link", "token"] });
      },
    }),
    [],
  );

  return (
    <WordsContext value={words}>
      {session === null ? (
        <p className="waiting">{refused || words.t("app.loading")}</p>
      ) : session.signedIn ? (
        <SWRConfig value={config}>
          <Shell session={session} onLanguage={setLanguage} onLeave={() => leave().then(setSession)}>
            <Switch>
              <Route path="/overview" component={OverviewPage} />
              <Route path="/graph" component={GraphPage} />
              <Route path="/workloads" component={WorkloadsPage} />
              <Route path="/workloads/:namespace/:name" component={WorkloadPage} />
              <Route path="/services/:namespace/:name" component={ServicePage} />
              <Route path="/apps/:namespace/:name" component={AppPage} />
              <Route path="/alerts" component={AlertsPage} />
              <Route path="/mesh" component={MeshPage} />
              <Route path="/search" component={TracesPage} />
              <Route path="/trace/:id" component={TracePage} />
              <Route path="/wizards" component={WizardPage} />
              <Route path="/config" component={ConfigPage} />
              <Route path="/config/new" component={NewRulePage} />
              <Route path="/config/:resource/:namespace/:name" component={RulePage} />
              <Route>
                <Redirect to={location.port === JAEGER_PORT ? "/search" : "/overview"} replace />
              </Route>
            </Switch>
          </Shell>
        </SWRConfig>
      ) : (
        <Login ways={session.ways} refused={refused} onEnter={setSession} onLanguage={setLanguage} />
      )}
    </WordsContext>
  );
}

/** Sign in by the link's secret, which the address holds behind "#": it is never sent as part of an address. */
async function enter(): Promise<Session> {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (!link) return get<Session>("/api/session");
  history.replaceState(null, "", location.pathname);
  return post<Session>("/api/login", { link });
}

async function leave(): Promise<Session> {
  await post("/api/logout", {});
  return remember(await get<Session>("/api/session"));
}
