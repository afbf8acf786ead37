import type { Severity } from "../api";

export interface Finding {
  line: number;
  severity: Severity;
  message: string;
  path: string;
  fix: string;
}

export interface Review {
  findings: Finding[];
  objects: { kind: string; resource: string; namespace: string; name: string }[];
  ok: boolean;
}
