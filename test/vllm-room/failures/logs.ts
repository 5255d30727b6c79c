/** Logs with known causes, and what is made of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Diagnosis } from '../../../src/core/finding.ts';
import { diagnose } from '../../../src/vllm/failures/diagnose.ts';
import type { FailureEvidence } from '../../../src/vllm/failures/evidence.ts';
import { createLogScan } from '../../../src/vllm/failures/scan.ts';

export interface Case {
  readonly log: string;
  readonly cause: string;
  readonly alsoOk: readonly string[];
  readonly verdict: 'permanent' | 'transient';
  readonly derivable: boolean;
  /** One that proves it. */
  readonly line: number;
  readonly written?: true;
}

export interface Capture {
  readonly log: string;
  readonly cause: string;
  readonly alsoOk: readonly string[];
  readonly fromLog: boolean;
}

const fixtures = new URL('../../fixtures/', import.meta.url);
const captured = new URL('logs/vllm-0.32.0-cpu/', fixtures);

export const cases: readonly Case[] = JSON.parse(readFileSync(new URL('failures/cases.json', fixtures), 'utf8'));
export const captures: readonly Capture[] = JSON.parse(readFileSync(new URL('failures/captures.json', fixtures), 'utf8'));
/** Captured logs without a failure. */
export const healthy = readdirSync(captured)
  .map((file) => file.replace('.log', ''))
  .filter((name) => !captures.some(({ log }) => log === name));

export function readCase({ log }: Case): string {
  return readFileSync(new URL(`failures/${log}`, fixtures), 'utf8');
}

export function readCapture(name: string): string {
  return readFileSync(new URL(`${name}.log`, captured), 'utf8');
}

export function explain(text: string, beside: Omit<FailureEvidence, 'log'> = {}): Diagnosis | undefined {
  const scan = createLogScan();
  for (const line of text.split('\n')) scan.push(line);
  return diagnose({ log: scan.end(), ...beside });
}

export function isRight(found: Diagnosis | undefined, { cause, alsoOk }: Pick<Case, 'cause' | 'alsoOk'>): boolean {
  return found !== undefined && (found.cause === cause || alsoOk.includes(found.cause));
}
