/** A Docker engine of a test's own with one deployment that is ready; both go with the test. */
import { expect, onTestFinished } from 'vitest';
import { isDead, readProcess } from '../../src/host/proc.ts';
import { eventually } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';
import { openEngine, openRow, type Row } from './h-rows.ts';

export interface Opened {
  readonly engine: TestEngine;
  readonly row: Row;
  /** Of the one container. */
  readonly id: string;
}

export interface OpenOptions {
  /** Of dockerd. */
  readonly engine?: readonly string[];
  /** `key.path=value` of the profile. */
  readonly settings?: readonly string[];
  /** Where our own commands ask it; its socket unless said. */
  readonly host?: string;
}

export async function openReady(options: OpenOptions = {}): Promise<Opened> {
  const { engine, row } = await openEmpty(options);
  const settings = (options.settings ?? []).flatMap((one) => ['--set', one]);
  const started = await row.box.cli('up', '-p', './boxed.yaml', '--yes', ...settings);
  expect(started.code, started.stderr).toBe(0);
  return { engine, row, id: await row.find() };
}

/** Nothing of ours runs in it. */
export async function openEmpty({ engine: options = [], host }: OpenOptions = {}): Promise<Omit<Opened, 'id'>> {
  const engine = await openEngine(options);
  onTestFinished(() => engine.stop());
  const row = await openRow(host === undefined ? engine : { ...engine, env: { ...engine.env, DOCKER_HOST: host } });
  onTestFinished(() => row.box.dispose());
  return { engine, row };
}

export async function untilGone(pid: number): Promise<void> {
  await eventually(
    () => readProcess(pid),
    (facts) => facts === undefined || isDead(facts),
  );
}

export const readStory = async ({ box }: Row) => (await box.cli('events')).stdout;
