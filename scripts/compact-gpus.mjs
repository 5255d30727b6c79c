// node scripts/compact-gpus.mjs TABLE.json — makes data/gpus.json of a table of GPUs: what `plan --gpu NAME` needs of
// each, one GPU per line. Memory is what nvidia-smi was seen to say; where nobody saw it, 1000 MiB per GB of the data
// sheet, which is a few per cent too little and never too much.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../data/gpus.json', import.meta.url));

/** Jetson and GB10: the GPU has no memory of its own, so a part of what is there belongs to the system. */
const unified = ['8.7', '11.0', '12.1'];

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('Name the table: node scripts/compact-gpus.mjs TABLE.json');
const gpus = JSON.parse(readFileSync(path, 'utf8')).map((entry) => ({
  name: entry.name,
  capability: entry.cc,
  memoryMiB: entry.memory_total_mib_seen ?? entry.memory_gb * 1000,
  ...(unified.includes(entry.cc) ? { unified: true } : {}),
}));
writeFileSync(target, `[\n${gpus.map((gpu) => JSON.stringify(gpu)).join(',\n')}\n]\n`);
