// docs/profiles.md: scripts/docs/profiles.md with what is generated in its places.
import { readFile } from 'node:fs/promises';
import type { Finding } from '../../src/core/finding.ts';
import type { MessageId } from '../../src/core/message.ts';
import { toSizeText } from '../../src/core/units.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { toPackagePath } from '../../src/host/package-files.ts';
import { readProfileSchema } from '../../src/operate/profiles-schema.ts';
import { toGpuNeed } from '../../src/plan/gpu-need.ts';
import { planRules } from '../../src/plan/rules/index.ts';
import { readCatalogue } from '../../src/profile/flags.ts';
import { checkRules } from '../../src/profile/layer-rules.ts';
import { listProfiles, loadProfile } from '../../src/profile/load.ts';
import { defaultEngineVersion } from '../../src/profile/resolve.ts';
import { profileRules } from '../../src/profile/rules/index.ts';
import { examples } from '../../src/profile/schema-examples.ts';
import { createFlagShelf } from '../../src/profile/shelf.ts';
import { messages } from '../../src/text/en/index.ts';
import { toText } from '../../src/text/render.ts';
import { toWant } from '../../src/vllm/flag-values.ts';
import type { Flag } from '../../src/vllm/flags.ts';
import { checkExample } from './examples.ts';

/** Nothing is there: only what is shipped is looked at. */
export const where = { places: toPlaces({ QWEN_DEPLOY_HOME: '/nowhere' }), cwd: '/nowhere' };

export async function renderProfilesPage(): Promise<string> {
  const template = await readFile(toPackagePath('scripts', 'docs', 'profiles.md'), 'utf8');
  const made: Readonly<Record<string, string>> = {
    shipped: await renderShipped(),
    rules: renderRules(profileRules),
    'machine-rules': renderRules(planRules),
    reference: await renderReference(),
    'wrong.yaml': (await checkExample(template, 'wrong.yaml')).text.trimEnd(),
  };
  return template.replace(/\{\{([\w.-]+)\}\}/g, (_, name: string) => {
    const text = made[name];
    if (text === undefined) throw new Error(`nothing is generated for {{${name}}}`);
    return text;
  });
}

async function renderShipped(): Promise<string> {
  const entries = await listProfiles(where);
  const rows = await Promise.all(
    entries.map(async ({ name, description }) => {
      const profile = await loadProfile(name, { ...where, sets: [] });
      const { bytes, gpus } = toGpuNeed(profile);
      // Several of them may share a GPU.
      const need = profile.engine.variant === 'cpu' ? 'none' : `${gpus} × ${toSizeText(bytes * profile.replicas)}`;
      return [code(name), description, code(profile.model.id), need];
    }),
  );
  return renderTable(['name', 'purpose', 'model', 'GPUs'], rows);
}

type Rule = Pick<Finding, 'code' | 'severity'> & { readonly source: string };

function renderRules(rules: readonly Rule[]): string {
  const names = { error: 'error', warning: 'warning', info: 'note' } as const;
  const rows = rules.map(({ code: name, severity, source }) => [
    code(name),
    names[severity],
    toText({ id: `finding.${name}` as MessageId, params: {} }),
    source,
  ]);
  return renderTable(
    ['code', 'severity', 'meaning', 'source'],
    rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
}

type Node = Readonly<Record<string, unknown>>;

async function renderReference(): Promise<string> {
  const { schema } = await readProfileSchema(undefined, { ...where, emit: () => undefined });
  const top = Object.entries(schema.properties as Readonly<Record<string, Node>>).filter(([key]) => !key.endsWith('+'));
  const isBlock = ([key, node]: readonly [string, Node]) => key === 'vllm' || listInner(key, node).length > 0;
  const alone = renderTable(
    settingHead,
    top.filter((one) => !isBlock(one)).map(([key, node]) => toRow(key, node)),
  );
  const blocks = top.filter(isBlock).map(([key, node]) => {
    const rows = listInner(key, node).map(([below, child]) => toRow(below, child));
    return `### ${key}\n\n${node.description}\n\n${key === 'vllm' ? vllmMark : renderTable(settingHead, rows)}`;
  });
  return [alone, ...blocks].join('\n\n').replace(vllmMark, await renderFlags());
}

const settingHead = ['key', 'value', 'default', 'what it does', 'example'];
const vllmMark = '{{vllm}}';

/** All of the default version; words only where we have some to say. */
async function renderFlags(): Promise<string> {
  const { catalogue } = await readCatalogue(defaultEngineVersion, createFlagShelf(where.places));
  if (catalogue === undefined) throw new Error(`no catalogue of ${defaultEngineVersion}`);
  const rows = Object.entries(catalogue.flags)
    .filter(([name]) => checkRules({ vllm: { [name]: true } }).length === 0)
    .map(([name, flag]) => [code(name), toFlagValue(flag), flag.default == null ? '' : code(JSON.stringify(flag.default)), toAdvice(name)]);
  const [advised, plain] = [rows.filter((row) => row[3] !== ''), rows.filter((row) => row[3] === '')];
  const others = renderTable(
    ['key', 'value', 'default'],
    plain.map((row) => row.slice(0, 3)),
  );
  return `Of vLLM ${catalogue.version}, those that we have something to say about:\n\n${renderTable(['key', 'value', 'default', 'what it does'], advised)}\n\nAnd all others:\n\n${others}`;
}

function toFlagValue(flag: Flag): string {
  const { choices = [] } = flag;
  return choices.length === 0 ? toText(toWant(flag)) : choices.map((choice) => code(String(choice))).join(', ');
}

function toAdvice(name: string): string {
  const id = `advice.${name}`;
  const isKnown = (one: string): one is MessageId => Object.hasOwn(messages, one);
  return isKnown(id) ? toText({ id, params: {} }) : '';
}

function listInner(path: string, node: Node): readonly (readonly [string, Node])[] {
  const { properties, additionalProperties, items } = node;
  const named = Object.entries((properties ?? {}) as Node).filter(([key]) => !key.endsWith('+'));
  const free = typeof additionalProperties === 'object' ? [['*', additionalProperties] as const] : [];
  const listed = isBlockOfList(items) ? [['*', items] as const] : [];
  return [...named, ...free, ...listed].flatMap(([key, child]) => {
    const here = `${path}.${key}`;
    return [[here, child as Node] as const, ...listInner(here, child as Node)];
  });
}

function isBlockOfList(items: unknown): items is Node {
  return typeof items === 'object' && items !== null && 'properties' in items;
}

function toRow(path: string, node: Node): readonly string[] {
  const [example] = examples[path] ?? [];
  const shown = node.default === undefined ? '' : code(JSON.stringify(node.default).replace(/^"(.*)"$/, '$1'));
  const sample = example === undefined ? '' : code(toYaml(example));
  return [code(path.replace('notify.*', 'notify[]').replace('*', 'NAME')), toTypeText(node), shown, String(node.description ?? ''), sample];
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'map',
  array: 'list',
};

function toTypeText({ type, enum: choices, anyOf, pattern, minimum, maximum }: Node): string {
  if (Array.isArray(anyOf)) return anyOf.map((one: Node) => toTypeText(one)).join(', or ');
  if (Array.isArray(choices)) {
    const words = choices.filter((choice) => choice !== null);
    return words.length === 2 && words.every((word) => typeof word === 'boolean')
      ? 'true or false'
      : words.map((word) => code(String(word))).join(', ');
  }
  const types = [type].flat().filter((one) => one !== 'null');
  if (/%/.test(String(pattern))) return 'percentage';
  const unit = /ms\|s\|m/.test(String(pattern)) ? 'duration' : /\[Bb\]/.test(String(pattern)) ? 'size' : undefined;
  const range = maximum === undefined ? (minimum === undefined ? '' : `, ${minimum} or more`) : `, ${minimum} to ${maximum}`;
  return (unit ?? types.map((one) => kinds[String(one)] ?? String(one)).join(' or ')) + range;
}

/** As one would write it: flow style, and text without quotes where it needs none. */
function toYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toYaml).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${toYaml(inner)}`)
      .join(', ')}}`;
  if (typeof value !== 'string') return String(value);
  return /^[A-Za-z/.][\w ./:+@-]*$/.test(value) && !/^(on|off|yes|no|true|false)$/.test(value) && !value.includes(': ')
    ? value
    : `"${value}"`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
