import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Bill {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
}

const root = new URL('../../', import.meta.url).pathname;

/** The packages of the lock file that are installed at the top: what is bundled is among them. */
function readLocked(): readonly (readonly [string, string])[] {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly optional?: boolean }>>;
  };
  const own = Object.entries(packages).filter(([path, { optional }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && !optional);
  return own.map(([path, { version }]) => [path.slice('node_modules/'.length), version]);
}

it('names every package that the bundle is made of', () => {
  const output = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const bill = JSON.parse(output) as Bill;
  expect(bill.bomFormat).toBe('CycloneDX');
  const named = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)));
  const locked = readLocked();
  expect(locked.length).toBeGreaterThan(20);
  expect(locked.filter(([name, version]) => !named.has(`pkg:npm/${name}@${version}`))).toEqual([]);
}, 30_000);
