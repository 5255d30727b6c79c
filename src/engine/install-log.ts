import { createWriteStream } from 'node:fs';
import { hidePasswords } from './sources.ts';

/** Everything that the installers print, for when something goes wrong. */
export interface InstallLog {
  readonly path: string;
  write(line: string): void;
  close(): Promise<void>;
}

/** Begins anew: it tells of the last attempt only. */
export function openInstallLog(path: string): InstallLog {
  const stream = createWriteStream(path, { flags: 'w', mode: 0o600 });
  stream.on('error', () => {
    // a log that cannot be written (the disk is full) must not hide what fails for the same reason
  });
  return {
    path,
    write: (line) => void stream.write(`${hidePasswords(line)}\n`),
    close: () => new Promise((resolve) => (stream.closed || stream.destroyed ? resolve() : stream.close(() => resolve()))),
  };
}
