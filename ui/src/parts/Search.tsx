import { useWords } from "../i18n";

interface Props {
  text: string;
  onChange: (text: string) => void;
}

/** What a list is narrowed by. */
export function Search({ text, onChange }: Props) {
  const { t } = useWords();
  return (
    <label>
      <span className="hidden">{t("list.filter")}</span>
      <input
        type="search"
        placeholder={t("list.filter")}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
