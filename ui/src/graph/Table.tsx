import type { Graph } from "../api";
import { bytes, duration, rate, share, verdict } from "../format";
import { useWords } from "../i18n";
import { Icon } from "../parts/Icon";
import { nodeTitle } from "./words";

/** The same graph in words: for screen readers, small screens, and for those who sort. */
export function Table({ graph, onSelect }: { graph: Graph; onSelect: (id: string) => void }) {
  const { t } = useWords();
  const names = new Map(graph.nodes.map((node) => [node.id, `${nodeTitle(node, t)} ${node.version}`.trim()]));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table" aria-label={t("nav.graph")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t("table.from")}</th>
            <th>{t("table.to")}</th>
            <th className="figure">{t("edge.rate")}</th>
            <th className="figure">{t("edge.errors")}</th>
            <th className="figure">P50</th>
            <th className="figure">P95</th>
            <th className="figure">P99</th>
            <th>{t("edge.mtls")}</th>
          </tr>
        </thead>
        <tbody>
          {[...graph.edges]
            .sort((one, other) => other.rate - one.rate)
            .map((edge) => (
              <tr key={edge.id}>
                <td>{names.get(edge.source)}</td>
                <td>
                  <button type="button" className="link" onClick={() => onSelect(edge.id)}>
                    {names.get(edge.target)}
                  </button>
                </td>
                <td className="figure">{edge.rate > 0 ? rate(edge.rate, t) : bytes(edge.bytes, t)}</td>
                <td className={`figure ${verdict(edge.failed)}`}>{share(edge.failed)}</td>
                <td className="figure">{duration(edge.latency.p50, t)}</td>
                <td className="figure">{duration(edge.latency.p95, t)}</td>
                <td className="figure">{duration(edge.latency.p99, t)}</td>
                <td>
                  {edge.secure === null ? (
                    "–"
                  ) : edge.secure > 0 ? (
                    <Icon name="lock" size={13} title={t("edge.mtls")} />
                  ) : (
                    t("edge.plain")
                  )}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}
