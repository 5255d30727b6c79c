/** Paths inside of a container → the same on this machine, by its mounts. */
import { say } from '../../core/message.ts';
import type { SettingValue } from '../profile.ts';
import { drop, type Launch, type Mount, type Notes } from './launch.ts';

export interface Paths {
  /** A text, or the texts inside of a value; others stay. */
  readonly toHere: <T extends SettingValue>(value: T) => T;
  /** An absolute path that only the image has. */
  readonly isInside: (text: string) => boolean;
  /** Says what became of each mount; after everything was translated. */
  readonly tell: (notes: Notes) => void;
  /** Where a cache of models lies that is not in its usual place. */
  readonly cache?: string;
}

const cacheTarget = /\/\.cache(\/|$)|\/huggingface\/?$/;

export function toPaths({ container }: Launch): Paths {
  const mounts = container?.mounts ?? [];
  const used = new Set<Mount>();
  const toText = (text: string): string => {
    const mount = mounts.find((one) => isBelow(text, one));
    if (mount === undefined) return text;
    used.add(mount);
    return isHere(mount.from) ? mount.from.replace(/\/+$/, '') + text.slice(mount.to.length) : text;
  };
  const toHere = (value: SettingValue): SettingValue => {
    if (typeof value === 'string') return toText(value);
    if (Array.isArray(value)) return value.map(toHere);
    if (typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toHere(inner)]));
  };
  const cache = mounts.find(({ from, to }) => /\/huggingface\/?$/.test(to) && isHere(from) && !cacheTarget.test(from));
  return {
    toHere: toHere as Paths['toHere'],
    isInside: (text) =>
      container !== undefined && text.startsWith('/') && !mounts.some((mount) => isHere(mount.from) && isBelow(text, mount)),
    tell: (notes) => {
      for (const mount of mounts) tellMount(mount, used.has(mount) || mount === cache, notes);
    },
    ...(cache ? { cache: cache.from } : {}),
  };
}

function isBelow(text: string, { to }: Mount): boolean {
  return text === to || text.startsWith(`${to}/`);
}

/** A path of this machine, and no named volume. */
function isHere(from: string): boolean {
  return /^(\/|~|\.{1,2}(\/|$)|\$)/.test(from);
}

function tellMount(mount: Mount, isUsed: boolean, notes: Notes): void {
  const text = `${mount.from}:${mount.to}`;
  if (isUsed && isHere(mount.from)) drop(notes, text, say('import.why.mount-used'));
  else if (isUsed) drop(notes, text, say('import.why.volume'));
  else if (cacheTarget.test(mount.to)) drop(notes, text, say('import.why.cache'));
  else drop(notes, text, say('import.why.mount'));
}
