import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderDoctorPage } from '../../scripts/docs/doctor.ts';
import { checks } from '../../src/doctor/checks/index.ts';

const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');

it('is what npm run docs writes', async () => {
  expect(page === (await renderDoctorPage()), 'stale: npm run docs').toBe(true);
});

it('has a row for every check', () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, id]) => id);
  expect(rows.toSorted()).toEqual(checks.map(({ id }) => id).toSorted());
});
