/** Whether somebody has stopped a whole launch by hand: SIGSTOP to all of it, a debugger, or the freezer. */
import type { Survivor } from '../../core/event.ts';

/** Stopped by a signal, or by a tracer. */
const stopped = ['T', 't'];
/** Where a task waits that the freezer holds; its state is that of any other wait. */
const freezer = /refrigerator|freezer|do_freezer_trap/;

/** One process that still runs is no pause: an API server that stands still alone may as well hang. */
export function isPaused(members: readonly Pick<Survivor, 'state' | 'wchan'>[]): boolean {
  return members.length > 0 && members.every(({ state = '', wchan = '' }) => stopped.includes(state) || freezer.test(wchan));
}
