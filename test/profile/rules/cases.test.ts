import { describe, expect, it } from 'vitest';
import { profileRules } from '../../../src/profile/rules/index.ts';
import { answersCases } from './cases-answers.ts';
import { limitsCases } from './cases-limits.ts';
import { modelCases } from './cases-model.ts';
import { servingCases } from './cases-serving.ts';
import { expectCase } from './judge.ts';

const cases = [...limitsCases, ...modelCases, ...answersCases, ...servingCases];

describe('rules across settings', () => {
  it.each(cases)('$code', expectCase);

  it('have a profile each that trips them', () => {
    const tried = new Set(cases.map(({ code }) => code));
    expect(profileRules.map(({ code }) => code).filter((code) => !tried.has(code))).toEqual([]);
  });
});
