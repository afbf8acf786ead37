import { type FormEvent, useState } from "react";
import { post, remember, type Session } from "../api";
import { useWords } from "../i18n";
import type { Language } from "../messages";
import { Brand, Preferences } from "../parts/Shell";

interface Props {
  ways: ("link" | "token" | "password")[];
  refused: string;
  onEnter: (session: Session) => void;
  onLanguage: (language: Language) => void;
}

export function Login({ ways, refused, onEnter, onLanguage }: Props) {
  const { t } = useWords();
  const [wrong, setWrong] = useState(refused);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    post<Session>("/api/login", given)
      .then((session) => onEnter(remember(session)))
      .catch((error: Error) => setWrong(error.message));
  };
  return (
    <main className="login">
      <div className="tools">
        <Preferences onLanguage={onLanguage} />
      </div>
      <section className="card">
        <Brand />
        <h1>{t("login.title")}</h1>
        {wrong && (
          <p className="notice error" role="alert">
            {wrong}
          </p>
        )}
        <p>{t("login.how")}</p>
        <pre>
          <code>semafor dashboard</code>
        </pre>
        {ways.includes("password") && (
          <form onSubmit={submit}>
            <label>
              {t("login.user")}
              <input name="user" autoComplete="username" required />
            </label>
            <label>
              {t("login.password")}
              <input name="password" type="password" autoComplete="current-password" required />
            </label>
            <button type="submit" className="primary">
              {t("login.submit")}
            </button>
          </form>
        )}
        <details>
          <summary>{t("login.other")}</summary>
          <form onSubmit={submit}>
            <label>
              {t("login.token")}
              <input name="token" type="password" autoComplete="off" required />
            </label>
            <p className="hint">{t("login.tokenHint")}</p>
            <button type="submit">{t("login.submit")}</button>
          </form>
        </details>
      </section>
    </main>
  );
}
