import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkExample, listExamples } from '../../scripts/docs/examples.ts';
import { renderProfilesPage } from '../../scripts/docs/profiles.ts';

const page = readFileSync(new URL('../../docs/profiles.md', import.meta.url), 'utf8');

describe('docs/profiles.md', () => {
  it('is what npm run docs writes', async () => {
    // Not as a difference of texts, which would be as long as the page.
    expect(page === (await renderProfilesPage()), 'stale: npm run docs').toBe(true);
  });

  it('has no YAML that is not an example with a name, but for the line that names the schema', () => {
    const unnamed = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
    expect(unnamed).toEqual(['# yaml-language-server: $schema=./profile.schema.json\n']);
  });

  it.each([...listExamples(page).keys()].filter((name) => name !== 'wrong.yaml'))('%s passes profiles check', async (name) => {
    const { check } = await checkExample(page, name);
    // A note tells something that nobody has to change.
    expect(check.files.flatMap(({ findings }) => findings.filter(({ severity }) => severity !== 'info'))).toEqual([]);
  });

  it('shows what is found in a wrong one', async () => {
    const { check } = await checkExample(page, 'wrong.yaml');
    expect(check.files[0]?.findings.map(({ code, line }) => [code, line])).toEqual([
      ['profile/spelling', 4],
      ['profile/removed-flag', 5],
      ['profile/unknown-key', 7],
    ]);
  });
});
