/** What the daemon tells and takes. Every answer that is not one is a Refusal. */

export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly told: object = {},
  ) {
    super(message);
  }
}

export type Session =
  | { signedIn: true; user: string; csrf: string; mesh: string; version: string }
  | { signedIn: false; ways: ("link" | "token" | "password")[] };

export type Health = "ok" | "idle" | "degraded" | "down";
export type Severity = "error" | "warning" | "info";

export interface Workload {
  namespace: string;
  name: string;
  kind: string;
  app: string;
  version: string;
  ready: number;
  wanted: number;
  health: Health;
  meshed: boolean;
  proxy: boolean;
}

export interface Namespace {
  name: string;
  injected: boolean;
  workloads: Workload[];
  problems: Partial<Record<Severity, number>>;
  rate: number;
  failed: number;
  secure: number | null;
}

export interface Overview {
  namespaces: Namespace[];
  control: {
    version: string;
    proxies: number;
    connected: number;
    current: number;
    problems: Partial<Record<Severity, number>>;
  };
}

export interface Problem {
  kind: string;
  resource: string;
  group: string;
  namespace: string;
  name: string;
  path: string;
  reason: string;
  message: string;
  fix: string;
  severity: Severity;
}

/** An object of the mesh's configuration. `why` is what it is for, where it is listed for one thing. */
export interface Rule {
  kind: string;
  resource: string;
  group: string;
  namespace: string;
  name: string;
  created: string;
  live: { status: boolean; reason: string | null; message: string | null } | null;
  problems: Problem[];
  summary: string;
  why?: "mesh" | "namespace" | "workload" | "service";
}

export interface Pod {
  name: string;
  ip: string;
  phase: string;
  ready: boolean;
  restarts: number;
  created: string;
  containers: string[];
  proxy: string;
  waiting: string;
}

export interface WorkloadDetail extends Workload {
  labels: Record<string, string>;
  pods: Pod[];
  services: string[];
  rules: Rule[];
}

export interface Service {
  namespace: string;
  name: string;
  type: string;
  ip: string;
  ports: { name: string; port: number; protocol: string }[];
  workloads: Workload[];
  subsets: Record<string, string>;
}

export interface ServiceDetail extends Service {
  rules: Rule[];
}

export type GraphView = "app" | "versioned" | "workload" | "service";
export type Badge = "virtual-service" | "fault" | "circuit-breaker" | "problem" | "no-sidecar";

export interface GraphNode {
  id: string;
  kind: "app" | "workload" | "service" | "external" | "unknown";
  namespace: string;
  name: string;
  version: string;
  services?: string[];
  workloads?: string[];
  health?: Health;
  gateway?: boolean;
  in: number;
  out: number;
  bytes: number;
  failed: number;
  badges: Badge[];
}

export type Quantile = "p50" | "p95" | "p99";

export interface GraphEdge {
  id: string;
  source: string;
  target: string;
  protocol: string;
  rate: number;
  failed: number;
  refused: number;
  bytes: number;
  secure: number | null;
  share: number;
  latency: Record<Quantile, number | null>;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  view: GraphView;
}

/** The token of the session, which goes along with everything that changes something. */
let csrf = "";

export function remember(session: Session): Session {
  csrf = session.signedIn ? session.csrf : "";
  return session;
}

export async function get<T>(path: string): Promise<T> {
  return answer<T>(await fetch(path, { headers: { Accept: "application/json" } }));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return send<T>("POST", path, body);
}

export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return answer<T>(await fetch(path, { method, headers, body: JSON.stringify(body ?? {}) }));
}

/** A text that is no JSON: a log, what Envoy says. */
export async function text(path: string): Promise<string> {
  const response = await fetch(path);
  if (response.ok) return response.text();
  return answer<string>(response);
}

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    throw new Refusal(response.status, "NotJson", text.slice(0, 200) || response.statusText);
  }
  if (!response.ok) {
    const { reason = "", message = text } = told as { reason?: string; message?: string };
    throw new Refusal(response.status, reason, message, told as object);
  }
  return told as T;
}
