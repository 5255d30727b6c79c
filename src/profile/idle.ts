import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { BackendName, Profile } from './profile.ts';

/** What only containers have, and what they cannot have. */
const idleOf: Readonly<Record<BackendName, readonly string[]>> = {
  process: ['resources.shm', 'engine.mounts', 'engine.image'],
  docker: ['resources.nice', 'engine.executable'],
  simulator: ['resources.shm', 'engine.mounts'],
};

/** Settings that a profile gives and that change nothing: said, never dropped in silence. `backend`: where that is known. */
export function checkIdleSettings({ origins }: Profile, backend?: BackendName): readonly Finding[] {
  const find = (path: string, message: Message): readonly Finding[] => {
    const origin = origins[path];
    if (origin === undefined) return [];
    const place = origin.from === 'profile' ? { file: origin.file, line: origin.line, column: origin.column } : {};
    return [{ code: 'profile/no-effect', severity: 'info', path, message, ...place }];
  };
  return backend === undefined ? [] : idleOf[backend].flatMap((path) => find(path, say('profile.no-effect-there', { path, backend })));
}
