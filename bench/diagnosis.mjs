// npm run bench:diagnosis — how often the diagnosis is right: on logs with known causes, on what mutations make of them,
// on captures of a real vLLM, and how often a healthy log is called a failure. No machine and no engine is needed.
import { build } from 'esbuild';
import { report, root } from './lib.mjs';

const { outputFiles } = await build({
  absWorkingDir: root,
  stdin: {
    contents: `export * from './test/vllm-room/failures/logs.ts'; export * from './test/vllm-room/failures/mutate.ts';`,
    resolveDir: root,
  },
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  define: { 'import.meta.url': JSON.stringify(new URL('../test/vllm-room/failures/logs.ts', import.meta.url).href) },
});
const { cases, captures, healthy, readCase, readCapture, explain, isRight, mutations } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);

const derivable = cases.filter((one) => one.derivable);
const plain = judge(cases.map((one) => ({ one, text: readCase(one) })));
const changed = mutations.map(([name, change]) => ({ name, ...judge(cases.map((one) => ({ one, text: change(readCase(one)) }))) }));
const mutated = { right: sum(changed, 'right'), all: sum(changed, 'all'), wrongPermanents: sum(changed, 'wrongPermanents') };
const fromLog = captures.filter((one) => one.fromLog);
const captureMisses = fromLog.filter((one) => !isRight(explain(readCapture(one.log)), one));
const sound = healthy.flatMap((name) => [['as it is', (text) => text], ...mutations.filter(([title]) => title !== 'a thousand times')].map(([title, change]) => ({ name: `${name}, ${title}`, text: change(readCapture(name)) })));
const falseAlarms = sound.filter(({ text }) => explain(text) !== undefined);

for (const { cause, found, logs } of plain.misses) console.log(`  ${cause.padEnd(34)} → ${found.padEnd(34)} ${logs.join(' ')}`);
for (const { name, right, all, misses } of changed) {
  if (right === all) continue;
  console.log(`${name}: ${right} of ${all}`);
  for (const { cause, found, logs } of misses) console.log(`  ${cause.padEnd(34)} → ${found.padEnd(34)} ${logs.join(' ')}`);
}
for (const { log } of captureMisses) console.log(`capture ${log}`);
for (const { name } of falseAlarms) console.log(`healthy, and called a failure: ${name}`);
const toShare = ({ right, all }) => (all - right) / all;
report('bench:diagnosis', [
  { name: `wrong causes, ${derivable.length} logs`, value: toShare(plain), bar: 0.03, unit: '', note: `${plain.right} of ${plain.all} right` },
  { name: 'transient ones called permanent', value: plain.wrongPermanents, bar: 0, unit: '' },
  { name: `wrong causes, ${mutations.length} mutations of each`, value: toShare(mutated), bar: 0.03, unit: '', note: `${mutated.right} of ${mutated.all} right` },
  { name: 'transient ones called permanent, mutated', value: mutated.wrongPermanents, bar: 0, unit: '' },
  { name: `wrong causes, ${fromLog.length} captures`, value: captureMisses.length, bar: 0, unit: '' },
  { name: `healthy logs called failures, of ${sound.length}`, value: falseAlarms.length, bar: 0, unit: '' },
]);

/** Wrong permanents count on every log, also on those that do not tell their cause. */
function judge(logs) {
  const told = logs.map(({ one, text }) => ({ one, found: explain(text) }));
  const asked = told.filter(({ one }) => one.derivable);
  const wrong = asked.filter(({ one, found }) => !isRight(found, one));
  const misses = new Map();
  for (const { one, found } of wrong) {
    const key = `${one.cause} ${found?.cause ?? '–'}`;
    misses.set(key, { cause: one.cause, found: found?.cause ?? '–', logs: [...(misses.get(key)?.logs ?? []), one.log] });
  }
  const wrongPermanents = told.filter(({ one, found }) => one.verdict === 'transient' && found?.permanent === true);
  for (const { one, found } of wrongPermanents) console.log(`  called permanent: ${one.log} ${found?.cause}`);
  return { right: asked.length - wrong.length, all: asked.length, misses: [...misses.values()], wrongPermanents: wrongPermanents.length };
}

function sum(parts, key) {
  return parts.reduce((total, part) => total + part[key], 0);
}
