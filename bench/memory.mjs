// npm run bench:memory — the memory plan beside real starts of vLLM (test/fixtures/memory), per class of starts, and a
// constant beside it: share × total − weights − 2 GiB. Fails when a bar is missed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { report } from './lib.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { judgeStarts, toQuantile } = await load('test/plan/memory/real-starts.ts');
const read = (name) => readFileSync(`${root}test/fixtures/memory/${name}`, 'utf8');
const starts = read('starts.jsonl').trim().split('\n').map(JSON.parse);
const all = judgeStarts(starts, JSON.parse(read('models.json')));
const judged = all.filter(({ is }) => is === 'judged');
const classes = {
  stated: 'stock vLLM from 0.8 on, one GPU, full attention, GPU and share said',
  assumed: 'the same, and something of it taken as by default',
  several: 'stock vLLM, several GPUs',
  patched: 'vLLM with changes',
};

print('class', ['starts', 'ours p50', 'p90', 'constant p50', 'p90', 'weights p50']);
for (const [name, meaning] of Object.entries(classes)) {
  const own = judged.filter((one) => one.class === name);
  const [kv, constant, weights] = ['kvError', 'constantError', 'weightsError'].map((key) => toErrors(own, key));
  const numbers = [...toPair(kv), ...toPair(constant), toQuantile(weights, 0.5)].map(toText);
  print(name, [kv.length, ...numbers], meaning);
}

console.log('\nstart by start: GiB of KV cache, ours minus the log');
print('start', ['ours', 'constant', 'weights', 'fits', 'was'], 'class, model');
for (const { start, class: name, kvError, constantError, weightsError, verdict } of judged) {
  const numbers = [kvError, constantError, weightsError].map(toText);
  print(start.id, [...numbers, verdict?.said ?? '–', start.outcome === 'ok' ? 'ok' : 'no'], `${name}, ${start.model}`);
}

console.log('\nmissed by more than 0.5 GiB, and why');
for (const { start, kvError } of judged.filter((one) => Math.abs(one.kvError ?? 0) > 0.5)) {
  console.log(`  ${start.id} ${toText(kvError)}  ${toWhy(start)}`);
}
console.log('\nleft out, and why');
for (const { start, why } of all.filter(({ is }) => is === 'left-out'))
  console.log(`  ${start.id}  ${why} (${start.model ?? 'model not said'})`);
console.log('');

const stated = judged.filter((one) => one.class === 'stated');
const [ours, constant] = [toErrors(stated, 'kvError'), toErrors(stated, 'constantError')];
const verdicts = judged.flatMap(({ start, verdict }) => (verdict ? [{ start, ...verdict }] : []));
const wrong = verdicts.filter(({ right }) => !right).length / verdicts.length;
const sure = verdicts.filter(({ start, said }) => start.outcome !== 'ok' && said === 'yes').length;
report('memory plan against real starts', [
  { name: 'KV cache, p50', value: toQuantile(ours, 0.5), bar: 0.3, unit: ' GiB', note: `${ours.length} stated starts` },
  { name: 'KV cache, p90', value: toQuantile(ours, 0.9), bar: 1, unit: ' GiB', note: `constant: ${toText(toQuantile(constant, 0.9))}` },
  {
    name: 'KV cache, ours ÷ constant',
    value: toQuantile(ours, 0.5) / toQuantile(constant, 0.5),
    bar: 0.5,
    unit: ' ×',
    note: 'p50 of stated starts',
  },
  { name: 'weights, p50', value: toQuantile(toErrors(judged, 'weightsError'), 0.5), bar: 0.05, unit: ' GiB', note: 'all starts' },
  { name: 'wrong verdicts', value: 100 * wrong, bar: 5, unit: ' %', note: `${verdicts.length} starts with a length` },
  {
    name: 'failing starts called sure',
    value: sure,
    bar: 0,
    unit: '',
    note: `${verdicts.filter(({ start }) => start.outcome !== 'ok').length} failing starts`,
  },
]);

async function load(file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

function toErrors(rows, key) {
  return rows.flatMap((row) => (row[key] === undefined ? [] : [Math.abs(row[key])]));
}

function toPair(values) {
  return [toQuantile(values, 0.5), toQuantile(values, 0.9)];
}

function toText(value) {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(2);
}

function toWhy({ patched_vllm: patched, tp, gpu_memory_utilization: share, model }) {
  if (patched && tp > 2)
    return `changed vLLM on ${tp} GPUs: what they take beside weights does not grow with requests, and is more than of two`;
  if (patched) return 'changed vLLM, and how many requests it was for is not said; the default is assumed';
  return share === null ? `its share is not said, and graphs were put aside as 1.59 GiB for ${model}` : 'not known';
}

function print(name, cells, note = '') {
  console.log(`  ${name.padEnd(9)}${cells.map((cell) => String(cell).padStart(13)).join('')}   ${note}`);
}
