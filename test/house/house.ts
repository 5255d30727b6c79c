/** Runs the house checks on a project made of a few files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const program = fileURLToPath(new URL('../../scripts/check.mjs', import.meta.url));

export interface Verdict {
  readonly passed: boolean;
  /** `file:line what`, as printed below the check's own line. */
  readonly problems: readonly string[];
}

/** `files`: path → content. */
export async function checkProject(check: string, files: Readonly<Record<string, string>>): Promise<Verdict> {
  const root = await mkdtemp(join(tmpdir(), 'house-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    const { exitCode, stdout } = await execa(process.execPath, [program, check, '--root', root], { reject: false });
    const [verdict = '', ...problems] = stdout.split('\n').map((line) => line.trim());
    if (!verdict.startsWith('ok') && !verdict.startsWith('FAIL')) throw new Error(`no verdict: ${stdout}`);
    return { passed: exitCode === 0 && verdict.startsWith('ok'), problems };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
