/** A machine with stand-ins for Python and uv on an otherwise empty PATH. */
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeployEvent } from '../../src/core/event.ts';
import { type Places, toPlaces } from '../../src/host/environment.ts';
import { toText } from '../../src/text/render.ts';

export const fixtures = fileURLToPath(new URL('../fixtures/engine/', import.meta.url));

export interface FakeMachine {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly places: Places;
  readonly signal: AbortSignal;
  readonly abort: AbortController;
  readonly events: DeployEvent[];
  readonly emit: (event: DeployEvent) => void;
  /** Commands that the stand-ins were given, in order. */
  calls(): Promise<readonly string[]>;
  /** What was said to people, in order: `step-done engine.tools: …`. */
  said(): readonly string[];
  dispose(): Promise<void>;
}

export async function createFakeMachine(tools: readonly ('python3' | 'uv')[], variables: NodeJS.ProcessEnv = {}): Promise<FakeMachine> {
  const root = await mkdtemp(join(tmpdir(), 'engine-'));
  const bin = join(root, 'bin');
  await mkdir(bin);
  for (const tool of tools) await symlink(join(fixtures, tool === 'uv' ? 'fake-uv.sh' : 'fake-python.sh'), join(bin, tool));
  const callsFile = join(root, 'calls');
  const env = {
    PATH: bin,
    HOME: root,
    XDG_CONFIG_DIRS: root,
    PIP_CONFIG_FILE: '/dev/null',
    QWEN_DEPLOY_HOME: join(root, 'home'),
    FAKE_FIXTURES: fixtures.replace(/\/$/, ''),
    FAKE_CALLS: callsFile,
    ...variables,
  };
  const events: DeployEvent[] = [];
  const abort = new AbortController();
  return {
    root,
    env,
    places: toPlaces(env),
    abort,
    signal: abort.signal,
    events,
    emit: (event) => void events.push(event),
    calls: async () => (await readFile(callsFile, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    said: () =>
      events.flatMap((event) =>
        'text' in event ? [`${event.type} ${'step' in event ? event.step : event.level}: ${toText(event.text)}`] : [],
      ),
    dispose: () => rm(root, { recursive: true, force: true }),
  };
}
