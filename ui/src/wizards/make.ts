/** From the answers of a form to the YAML of Istio's objects. Pure: what is made is shown, and applied by somebody. */

export interface Target {
  namespace: string;
  name: string;
  versions: string[];
  apps: string[];
  /** The subsets that rules define already, by the version that they choose. */
  subsets: Record<string, string>;
}

export interface Answers {
  weights: Record<string, number>;
  header: string;
  value: string;
  version: string;
  otherwise: string;
  delayPercent: number;
  delaySeconds: number;
  abortPercent: number;
  abortCode: number;
  timeoutSeconds: number;
  attempts: number;
  perTrySeconds: number;
  errors: number;
  ejectSeconds: number;
  ejectPercent: number;
  connections: number;
  pending: number;
  mode: "STRICT" | "PERMISSIVE" | "DISABLE";
  callers: string;
  methods: string[];
  paths: string;
}

export const START: Answers = {
  weights: {},
  header: "x-test-user",
  value: "true",
  version: "",
  otherwise: "",
  delayPercent: 10,
  delaySeconds: 2,
  abortPercent: 0,
  abortCode: 503,
  timeoutSeconds: 5,
  attempts: 3,
  perTrySeconds: 1,
  errors: 5,
  ejectSeconds: 60,
  ejectPercent: 50,
  connections: 100,
  pending: 100,
  mode: "STRICT",
  callers: "",
  methods: [],
  paths: "",
};

export const WIZARDS = ["shift", "route", "fault", "retry", "breaker", "mtls", "authz"] as const;
export type Wizard = (typeof WIZARDS)[number];

export function make(wizard: Wizard, target: Target, answers: Answers): string {
  return MAKERS[wizard](target, answers);
}

const MAKERS: Record<Wizard, (target: Target, answers: Answers) => string> = {
  shift: (target, { weights }) => {
    const routes = evened(weights, target.versions).map(
      ([version, weight]) =>
        `    - destination: {host: ${target.name}, subset: ${subset(target, version)}}\n      weight: ${weight}`,
    );
    return joined(subsets(target), virtualService(target, "shift", `  - route:\n${routes.join("\n")}`));
  },
  route: (target, { header, value, version, otherwise }) => {
    const [first = "", second = ""] = [version || target.versions.at(-1), otherwise || target.versions[0]];
    const chosen = `  - match:\n    - headers:\n        ${text(header)}: {exact: ${JSON.stringify(value)}}\n    route:\n${destination(target, first)}`;
    const rest = `  - route:\n${destination(target, second)}`;
    return joined(subsets(target), virtualService(target, "routing", `${chosen}\n${rest}`));
  },
  fault: (target, answers) => {
    const parts: string[] = [];
    if (answers.delayPercent > 0) {
      parts.push(
        `      delay:\n        percentage: {value: ${answers.delayPercent}}\n        fixedDelay: ${seconds(answers.delaySeconds)}`,
      );
    }
    if (answers.abortPercent > 0) {
      parts.push(
        `      abort:\n        percentage: {value: ${answers.abortPercent}}\n        httpStatus: ${answers.abortCode}`,
      );
    }
    const fault = parts.length ? `fault:\n${parts.join("\n")}\n    ` : "";
    return virtualService(target, "fault", `  - ${fault}route:\n    - destination: {host: ${target.name}}`);
  },
  retry: (target, answers) => {
    const tries =
      answers.attempts > 0
        ? `\n      perTryTimeout: ${seconds(answers.perTrySeconds)}\n      retryOn: 5xx,reset,connect-failure`
        : "";
    return virtualService(
      target,
      "resilience",
      `  - timeout: ${seconds(answers.timeoutSeconds)}\n    retries:\n      attempts: ${answers.attempts}${tries}\n    route:\n    - destination: {host: ${target.name}}`,
    );
  },
  breaker: (target, answers) =>
    destinationRule(
      target,
      "breaker",
      [
        "  trafficPolicy:",
        "    connectionPool:",
        `      tcp: {maxConnections: ${answers.connections}}`,
        `      http: {http1MaxPendingRequests: ${answers.pending}}`,
        "    outlierDetection:",
        `      consecutive5xxErrors: ${answers.errors}`,
        "      interval: 10s",
        `      baseEjectionTime: ${seconds(answers.ejectSeconds)}`,
        `      maxEjectionPercent: ${answers.ejectPercent}`,
      ].join("\n"),
    ),
  mtls: (target, { mode }) =>
    object("security.istio.io/v1", "PeerAuthentication", "default", target.namespace, `  mtls: {mode: ${mode}}`),
  authz: (target, { callers, methods, paths }) => {
    const lines = [
      ...(target.apps[0] ? [`  selector:\n    matchLabels: {app: ${text(target.apps[0])}}`] : []),
      "  action: ALLOW",
    ];
    const principals = words(callers).map((each) => principal(each, target.namespace));
    const operation = [
      ...(methods.length ? [`        methods: [${methods.join(", ")}]`] : []),
      ...(words(paths).length
        ? [
            `        paths: [${words(paths)
              .map((each) => JSON.stringify(each))
              .join(", ")}]`,
          ]
        : []),
    ];
    const rule = [
      ...(principals.length
        ? [`from:\n    - source:\n        principals: [${principals.map((each) => JSON.stringify(each)).join(", ")}]`]
        : []),
      ...(operation.length ? [`to:\n    - operation:\n${operation.join("\n")}`] : []),
    ];
    lines.push(rule.length ? `  rules:\n  - ${rule.join("\n    ")}` : "  rules: []");
    return object(
      "security.istio.io/v1",
      "AuthorizationPolicy",
      `${target.name}-callers`,
      target.namespace,
      lines.join("\n"),
    );
  },
};

/** Whole percents that add up to 100: what is missing or too much goes to the last version. */
export function evened(weights: Record<string, number>, versions: string[]): [version: string, weight: number][] {
  const known = versions.some((version) => weights[version] !== undefined);
  let left = 100;
  return versions.map((version, place) => {
    const even = Math.round(100 / versions.length);
    const wanted = Math.max(0, Math.min(left, Math.round(known ? (weights[version] ?? 0) : even)));
    const given = place === versions.length - 1 ? left : wanted;
    left -= given;
    return [version, given];
  });
}

/** `agent`, `shop/agent` or a whole identity, as AuthorizationPolicy wants it. */
export function principal(caller: string, namespace: string): string {
  if (caller.includes("/sa/")) return caller.replace(/^spiffe:\/\//, "");
  const [space, account] = caller.includes("/") ? caller.split("/") : [namespace, caller];
  return `cluster.local/ns/${space}/sa/${account}`;
}

function subset(target: Target, version: string): string {
  return text(target.subsets[version] ?? version);
}

/** The rule that defines what no other rule defines yet; "" when there is nothing to define. */
function subsets(target: Target): string {
  const missing = target.versions.filter((version) => target.subsets[version] === undefined);
  if (!missing.length) return "";
  const lines = missing.map((version) => `  - name: ${text(version)}\n    labels: {version: ${text(version)}}`);
  return destinationRule(target, "versions", `  subsets:\n${lines.join("\n")}`);
}

function destination(target: Target, version: string): string {
  return `    - destination: {host: ${target.name}${version ? `, subset: ${subset(target, version)}` : ""}}`;
}

function virtualService(target: Target, what: string, http: string): string {
  const spec = `  hosts: [${target.name}]\n  http:\n${http}`;
  return object("networking.istio.io/v1", "VirtualService", `${target.name}-${what}`, target.namespace, spec);
}

function destinationRule(target: Target, what: string, spec: string): string {
  const name = `${target.name}-${what}`;
  return object("networking.istio.io/v1", "DestinationRule", name, target.namespace, `  host: ${target.name}\n${spec}`);
}

function object(apiVersion: string, kind: string, name: string, namespace: string, spec: string): string {
  const metadata = `metadata:\n  name: ${name}\n  namespace: ${namespace}`;
  return `apiVersion: ${apiVersion}\nkind: ${kind}\n${metadata}\nspec:\n${spec}\n`;
}

function joined(...documents: string[]): string {
  return documents.filter(Boolean).join("---\n");
}

function seconds(value: number): string {
  return Number.isInteger(value) ? `${value}s` : `${Math.round(value * 1000)}ms`;
}

/** A plain word as it is, everything else in quotes: `v1`, but `"1.0"` and `"true"`. */
function text(value: string): string {
  return /^[a-zA-Z][\w.-]*$/.test(value) && !/^(true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value);
}

function words(value: string): string[] {
  return value.split(/[\s,]+/).filter(Boolean);
}
