import { expect, it } from 'vitest';
import { createRandom } from '../profile/mutate.ts';
import { readCapture, readCaptures } from './captures.ts';
import { findCutDifferences, fuzzSmi } from './fuzz.ts';

const inputs = readCaptures().map(({ id, file, command }) => ({ id, command, text: readCapture(file) }));

it('makes nothing up and does not fall over, whatever is done to an output', async () => {
  const { failures, numbers, withGpu } = await fuzzSmi(inputs, { runs: 1000, seed: 7 });
  expect(failures).toEqual([]);
  // Else the damage would only show that nothing is read.
  expect(withGpu).toBeGreaterThan(300);
  expect(numbers).toBeGreaterThan(5000);
});

it('says of a cut output what the whole one says, or less', async () => {
  const random = createRandom(11);
  const found = await Promise.all(
    inputs.flatMap((input) => Array.from({ length: 4 }, () => findCutDifferences(input, Math.floor(random() * input.text.length)))),
  );
  expect(found.flat()).toEqual([]);
});
