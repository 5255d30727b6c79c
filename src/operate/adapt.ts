import { systemClock } from '../core/clock.ts';
import type { Message } from '../core/message.ts';
import type { AdaptWatch } from '../supervisor/adapt/watch.ts';
import { isServing } from '../supervisor/deployment.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface AdaptOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onNote: (note: Message) => void;
  readonly onProblem: (problem: string) => void;
}

/** Watches for pressure from when a deployment serves that may adapt; nothing of it is loaded before. */
export function adaptUnderPressure(supervisor: Supervisor, { env, onNote, onProblem }: AdaptOptions): { readonly end: () => void } {
  let watch: AdaptWatch | undefined;
  let over = false;
  const begin = async () => {
    const { AdaptWatch: Watch } = await import('../supervisor/adapt/watch.ts');
    if (over) return;
    watch ??= new Watch({ push: (signal) => void supervisor.send(signal), note: onNote, env, clock: systemClock });
    watch.observe(supervisor.now);
  };
  const stopObserving = supervisor.observe((state) => {
    if (watch) return watch.observe(state);
    if (state.wanted.adapt && isServing(state.life)) begin().catch((error: unknown) => onProblem(toProblem(error)));
  });
  return {
    end: () => {
      over = true;
      stopObserving();
      watch?.end();
    },
  };
}
