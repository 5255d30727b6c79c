// The lock file pins versions and hashes, not the addresses of whoever wrote it: everybody's own registry serves.
import { readText } from './files.mjs';

export async function checkLock(root) {
  const lines = (await readText(root, 'package-lock.json')).split('\n');
  return lines.flatMap((line, index) =>
    /^\s*"resolved":/.test(line) ? [`package-lock.json:${index + 1} has an address: ${line.trim()}`] : [],
  );
}
