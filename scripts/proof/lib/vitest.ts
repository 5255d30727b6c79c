/**
 * Stands for vitest in this program: `test/scenarios/sandbox.ts` is shared with the tests, and only `expect.fail` of
 * it is used here.
 */
export const expect = {
  fail(message: string): never {
    throw new Error(message);
  },
};

export function beforeEach(): never {
  throw new Error('there are no tests here');
}

export const afterEach = beforeEach;
