// The examples of a page: fenced YAML with a title, which is the name of its file.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toPlaces } from '../../src/host/environment.ts';
import { checkProfiles, type ProfileCheck } from '../../src/operate/profiles-check.ts';
import { renderProfileCheck } from '../../src/views/profile-check.ts';

export interface CheckedExample {
  readonly check: ProfileCheck;
  /** What a person would see. */
  readonly text: string;
}

export function listExamples(page: string): ReadonlyMap<string, string> {
  const found = page.matchAll(/^```yaml title="([^"]+)"\n([\s\S]*?)^```$/gm);
  return new Map([...found].map(([, name = '', text = '']) => [name, text]));
}

/** With all examples of the page beside it, in a directory of its own. */
export async function checkExample(page: string, name: string): Promise<CheckedExample> {
  const cwd = await mkdtemp(join(tmpdir(), 'examples-'));
  try {
    await mkdir(join(cwd, 'profiles'));
    for (const [file, text] of listExamples(page)) await writeFile(join(cwd, 'profiles', file), text);
    const places = toPlaces({ QWEN_DEPLOY_HOME: join(cwd, 'home') });
    const check = await checkProfiles({ refs: [`./profiles/${name}`], sets: [] }, { places, cwd: join(cwd) });
    const plain = (text: string) => text;
    const palette = { good: plain, bad: plain, warn: plain, dim: plain, strong: plain };
    return { check, text: renderProfileCheck(check, { palette, cwd: join(cwd, 'profiles') }) };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
