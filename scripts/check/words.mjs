// Words that must not be in the project: places of a single machine, registries that people replace by mirrors, and
// comments that silence a check.
import { listFiles, readText } from './files.mjs';

const words = [
  /(?<![\w.-])\/work\//,
  /\/tmp\/lab\b/,
  /\bpypi\.org\b/,
  /\bregistry\.npmjs\.org\b/,
  /\bfiles\.pythonhosted\.org\b/,
  /biome-(?:ignore)\b/,
  /@ts-(?:ignore|nocheck|expect-error)\b/,
  /\b(?:it|test|describe)\.(?:todo)\(/,
];
const skipped = ['.git/', 'node_modules/', 'dist/', 'coverage/'];
/** Lock files have a check of their own. */
const exempt = ['package-lock.json'];

export async function checkWords(root) {
  const files = await listFiles(root, '.', (path) => !skipped.includes(path) && !exempt.includes(path));
  const problems = await Promise.all(files.map((file) => checkFile(root, file)));
  return problems.flat();
}

async function checkFile(root, file) {
  const lines = (await readText(root, file)).split('\n');
  return lines.flatMap((line, index) => {
    const found = words.map((word) => word.exec(line)).find(Boolean);
    return found ? [`${file}:${index + 1} contains ${found[0]}`] : [];
  });
}
