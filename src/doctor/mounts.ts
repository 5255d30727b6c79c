import type { DoctorContext } from './check.ts';
import { type Reading, readBelow } from './read.ts';

export interface Mount {
  /** The directory of the file system that is mounted; `/` is all of it. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

/** In the order of mounting; a reading instead where the kernel does not say. */
export function readMounts(context: Pick<DoctorContext, 'root'>): readonly Mount[] | Exclude<Reading, { readonly is: 'text' }> {
  const reading = readBelow(context, '/proc/self/mountinfo');
  return reading.is === 'text' ? reading.text.split('\n').flatMap(parseMount) : reading;
}

/** `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda rw`; the fields before the dash may be more. */
function parseMount(line: string): readonly Mount[] {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [root, point, options] = fields.slice(3);
  const [type, , superOptions = ''] = fields.slice(dash + 1);
  if (dash < 0 || root === undefined || point === undefined || options === undefined || type === undefined) return [];
  return [{ root: toPlain(root), point: toPlain(point), type, options: options.split(','), superOptions: superOptions.split(',') }];
}

/** Blanks in paths are written as octal numbers. */
function toPlain(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The file system that a path lies on: the deepest, and of those the last that was mounted over the others. */
export function findMount(mounts: readonly Mount[], path: string): Mount | undefined {
  const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`));
  return above.reduce<Mount | undefined>((best, mount) => (mount.point.length >= (best?.point.length ?? 0) ? mount : best), undefined);
}
