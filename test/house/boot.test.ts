/** V8 takes a cache for that of any source of the same length: whose it is has to be known otherwise. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

interface Program {
  readonly load: (name: string) => { readonly answer: () => string };
  readonly keep: () => void;
}
interface Boot {
  readonly start: (directory: string) => Program;
  readonly toPack: (entries: ReadonlyMap<string, Buffer>, id: string, volumes: readonly (readonly [string, number])[]) => Buffer;
}
const { start, toPack }: Boot = createRequire(import.meta.url)('../../scripts/boot.cjs');

it('a program that was replaced runs its own code, though one of before leaves its cache behind', () => {
  const directory = mkdtempSync(join(tmpdir(), 'qd-boot-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const install = (id: string, answer: string) => {
    const source = `({main:(q,module)=>{module.exports={answer:function(){return "${answer}"}}}})`;
    writeFileSync(join(directory, 'program.pack'), toPack(new Map([['volume-0.js', Buffer.from(source)]]), id, [['main', 0]]));
  };
  const ask = (program: Program) => program.load('main').answer();
  install('1', 'old');
  const old = start(directory);
  expect(ask(old)).toBe('old');
  install('2', 'new');
  old.keep();
  const fresh = start(directory);
  expect(ask(fresh)).toBe('new');
  fresh.keep();
  expect(ask(start(directory))).toBe('new');
});
