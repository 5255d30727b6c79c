/** `restart --reset`: what `--fix` changed is undone, and the profile alone decides again. */
import { say } from '../core/message.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { toBase } from '../supervisor/reduce/ladder.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';
import type { Meant } from './members.ts';
import type { RestartRequest } from './restart.ts';
import { toWord } from './settle-up.ts';
import { up } from './up.ts';

/** Undefined: nothing was changed, and an ordinary restart is all. Throws what `up` throws, before anything is stopped. */
export async function restartReset(
  { meant, wait, timeoutMs }: RestartRequest & { readonly meant: Meant },
  context: Context,
): Promise<Deployment | DeploymentList | undefined> {
  const { name, state } = await findDeployment(meant.is === 'one' ? meant.name : meant.names[0], 'restart', context);
  const { source, spec } = toBase(state.wanted);
  const { ref, sets, asked = sets, fixes = [], unchecked, member } = source;
  if (fixes.length === 0) {
    context.emit({ type: 'said', level: 'info', text: say('remedy.no-reset', { name }) });
    return undefined;
  }
  for (const { path, to } of fixes.flatMap(({ changes }) => changes))
    context.emit({ type: 'said', level: 'info', text: say('remedy.reset', { name, path, to: toWord(to) }) });
  const request = {
    name: member?.group ?? name,
    profile: ref,
    chosen: { ref, auto: false },
    sets: asked,
    fixes: [],
    backend: spec.backend,
    unchecked: unchecked ?? false,
    install: true,
    yes: true,
    rollback: state.rollback,
    foreground: false,
    wait,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  return up(request, context);
}
