import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { Profile } from './profile.ts';

/** Understood so that profiles can be shared with later versions, but of no use yet. */
const idle = ['fallback', 'resources.shm'];

/** Settings that a profile gives and that change nothing: said, never dropped in silence. */
export function checkIdleSettings({ origins }: Profile): readonly Finding[] {
  return idle.flatMap((path) => {
    const origin = origins[path];
    if (origin === undefined) return [];
    const place = origin.from === 'profile' ? { file: origin.file, line: origin.line, column: origin.column } : {};
    return [{ code: 'profile/no-effect', severity: 'info', path, message: say('profile.no-effect', { path }), ...place }];
  });
}
