// The import table of border-rules.mjs, enforced. esbuild takes types and comments away first, so what is looked at
// is what runs.
import { dirname, join, normalize } from 'node:path';
import { transform } from 'esbuild';
import { doors, entries, nodeModules, observers, owners, rooms } from './border-rules.mjs';
import { lineOf, listFiles, readText } from './files.mjs';

export async function checkBorders(root) {
  const files = await listFiles(root, 'src', (path) => path.endsWith('/') || path.endsWith('.ts') || path.endsWith('.tsx'));
  const problems = await Promise.all(files.map((file) => checkFile(root, file)));
  return problems.flat();
}

async function checkFile(root, file) {
  const source = await readText(root, file);
  const code = await toRunningCode(file, source);
  if (code.problem) return [`${file}:1 ${code.problem}`];
  const imports = toSpecifiers(code.text).flatMap((specifier) => {
    const problem = checkImport(file, specifier);
    return problem ? [`${file}:${lineOf(source, `'${specifier}'`)} ${problem}`] : [];
  });
  return [...imports, ...checkGlobals(file, { source, code: code.text })];
}

async function toRunningCode(file, source) {
  try {
    const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
    const loader = file.endsWith('.tsx') ? 'tsx' : 'ts';
    return { text: (await transform(source, { loader, tsconfigRaw, target: 'esnext', legalComments: 'none' })).code };
  } catch (error) {
    return { problem: `cannot be read: ${error.message.split('\n')[0]}` };
  }
}

/** esbuild prints each static import on a line of its own, with double quotes. */
function toSpecifiers(code) {
  const statics = code.matchAll(/^(?:import (?:[^"';]*? from )?|export (?:\*|\{)[^"';]* from )"([^"\n]+)"/gm);
  const dynamics = code.matchAll(/\bimport\("([^"\n]+)"/g);
  return [...new Set([...statics, ...dynamics].map((match) => match[1]))];
}

function checkImport(file, specifier) {
  if (specifier.startsWith('.')) return checkRoom(file, normalize(join(dirname(file), specifier)));
  const builtin = specifier.startsWith('node:') ? specifier.slice('node:'.length) : undefined;
  return builtin === undefined ? checkPackage(file, specifier) : checkBuiltin(file, builtin);
}

function checkRoom(file, target) {
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/')) return `imports ${target}, which is outside src/`;
  if (entries.includes(target)) return `imports ${target}, where a program begins`;
  if (entries.includes(file)) return undefined;
  const [from, to] = [toRoom(file), toRoom(target)];
  if (!Object.hasOwn(rooms, from)) return `${from} is no room of the table`;
  if (from === to || rooms[from].rooms.includes(to)) return undefined;
  if (to === 'host' && observers.includes(file)) return undefined;
  return `${from} may not import ${to} (${target})`;
}

function checkPackage(file, specifier) {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const only = Object.hasOwn(doors, name) ? doors[name] : undefined;
  if (only) return only.includes(file) ? undefined : `only ${only.join(', ')} may import ${name}`;
  const room = toRoom(file);
  if (rooms[room]?.packages.includes(name)) return undefined;
  return `${room} may not import the package ${name}`;
}

function checkBuiltin(file, name) {
  const rule = nodeModules.find(({ modules }) => modules.includes(name));
  if (!rule || rule.places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))) return undefined;
  return `may not use node:${name}; it belongs in ${rule.places.join(', ')}`;
}

/** Exits and signals belong to their owners; so does nothing else that a room could do behind everybody's back. */
function checkGlobals(file, { source, code }) {
  if (owners.includes(file)) return [];
  return ['process.exit(', 'process.on(', 'process.once(', 'process.exitCode ='].flatMap((use) =>
    code.includes(use) ? [`${file}:${lineOf(source, use)} ${use.replace(/\(| =/, '')} belongs in ${owners.join(', ')}`] : [],
  );
}

/** `src/core/x.ts` → core, `src/main.ts` → main.ts. */
function toRoom(file) {
  return file.split('/')[1];
}
