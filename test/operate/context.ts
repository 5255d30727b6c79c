/** A context in a home of its own, and what was said in it. */
import type { DeployEvent } from '../../src/core/event.ts';
import { type Context, createContext } from '../../src/operate/context.ts';

export interface TestContext extends Context {
  readonly said: DeployEvent[];
  /** Ids of the sentences that were said beside the events. */
  readonly words: () => readonly string[];
}

export function createTestContext(home: string, parts: Partial<Omit<Context, 'places'>> = {}): TestContext {
  const said: DeployEvent[] = [];
  const context = createContext({
    env: { PATH: process.env.PATH, HOME: home, QWEN_DEPLOY_HOME: home },
    cwd: home,
    emit: (event) => said.push(event),
    signal: new AbortController().signal,
    force: new AbortController().signal,
    programs: { self: ['/bin/false'], simulator: '/nowhere/simulator.js' },
    confirm: async () => false,
    ...parts,
  });
  return { ...context, said, words: () => said.flatMap((event) => (event.type === 'said' ? [event.text.id] : [])) };
}
