// Files of the project, as the checks see them.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** Paths from the root, `/` between parts, sorted; an absent directory has none. */
export async function listFiles(root, directory, isWanted) {
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = relative(root, join(root, directory, entry.name))
        .split(sep)
        .join('/');
      if (entry.isDirectory()) return isWanted(`${path}/`) ? listFiles(root, path, isWanted) : [];
      return entry.isFile() && isWanted(path) ? [path] : [];
    }),
  );
  return found.flat().toSorted();
}

export function readText(root, path) {
  return readFile(join(root, path), 'utf8');
}

/** Counted from 1; 1 when the text is nowhere. */
export function lineOf(text, part) {
  const at = text.indexOf(part);
  return at < 0 ? 1 : text.slice(0, at).split('\n').length;
}
