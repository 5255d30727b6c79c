// npm run proof:smi -- [--runs N] [--seed S] — damages the captures of nvidia-smi (cut, lines lost, two mixed, characters
// replaced) and reads them: no crash, and no number that the damaged text does not have. And each capture is cut at many
// places: what is read then must be what the whole one says. Prints the figures.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTypeScript, root } from './flags/typescript.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } } });
const { fuzzSmi, findCutDifferences, createRandom } = await loadTypeScript('test/gpu/fuzz.ts', 'test/profile/mutate.ts');
const directory = join(root, 'test/fixtures/nvidia-smi');
const inputs = readFileSync(join(directory, 'index.jsonl'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))
  .map(({ id, file, command }) => ({ id, command, text: readFileSync(join(directory, file), 'utf8') }));

const started = performance.now();
const { runs, numbers, withGpu, failures } = await fuzzSmi(inputs, { runs: Number(values.runs), seed: Number(values.seed) });
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${runs} damaged outputs of ${inputs.length} captures (seed ${values.seed}), ${seconds} s`);
console.log(`${withGpu} of them still showed a GPU; ${numbers} numbers compared with their texts`);

const cuts = [];
const random = createRandom(Number(values.seed));
for (const input of inputs) {
  const places =
    input.text.length < 6000
      ? [...input.text].map((_, at) => at)
      : Array.from({ length: 40 }, () => Math.floor(random() * input.text.length));
  for (const place of places) cuts.push(...(await findCutDifferences(input, place)).map((why) => ({ input: input.id, run: place, why })));
}
console.log('every capture cut at every place (large ones at 40)');
const wrong = [...failures, ...cuts];
for (const { input, run, why } of wrong.slice(0, 30)) console.log(`  ${input} #${run}: ${why}`);
console.log(wrong.length === 0 ? 'no crash, no number that was not printed' : `${wrong.length} failures`);
process.exitCode = wrong.length === 0 ? 0 : 1;
