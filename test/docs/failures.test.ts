import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderFailuresPage } from '../../scripts/docs/failures.ts';
import { messages } from '../../src/text/en/index.ts';
import { causes } from '../../src/vllm/failures/causes.ts';

const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8');

it('is what npm run docs writes', async () => {
  expect(page === (await renderFailuresPage()), 'stale: npm run docs').toBe(true);
});

it('has every cause, what it looks like and what to do', () => {
  const sections = page.split('\n## ').slice(1);
  expect(sections.map((section) => /`(\w+)`/.exec(section)?.[1])).toEqual(Object.keys(causes));
  const poor = sections.filter((section) => !section.includes('Looks like:') || !section.includes('What to do:'));
  expect(poor.map((section) => /`(\w+)`/.exec(section)?.[1])).toEqual([]);
});

it('every cause has a name and a meaning, and none has them in vain', () => {
  const written = Object.keys(messages).filter((id) => id.startsWith('cause.'));
  expect(written.toSorted()).toEqual(
    Object.keys(causes)
      .flatMap((id) => [`cause.${id}`, `cause.${id}.meaning`])
      .toSorted(),
  );
});
