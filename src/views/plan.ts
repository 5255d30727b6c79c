/** A plan for people: every decision with its reason, and the command that it comes to. */
import { type Message, say } from '../core/message.ts';
import { toSecretWord, toShellWord } from '../core/shell.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Plan } from '../plan/plan.ts';
import { toText } from '../text/render.ts';
import type { Planned, PlannedChange, PlannedReplica } from './documents.ts';
import { renderFindings } from './findings.ts';
import { renderMemory } from './memory.ts';
import type { Palette } from './screen.ts';
import { renderTable, toTableWidth } from './tables.ts';

/** `width` of the terminal, where there is one. */
export function renderPlan(planned: Planned, palette: Palette, width = Number.POSITIVE_INFINITY): string {
  const { plan, spec, changes, replicas, surplus = [] } = planned;
  return [
    `${palette.strong(toTitle(plan, spec))}\n`,
    plan.description ? `${plan.description}\n` : '',
    `\n${renderDecisions(plan, palette, width)}`,
    plan.memory ? `\n${renderMemory(plan.memory, palette)}` : '',
    plan.findings.length > 0 ? `\n${renderFindings(plan.findings, palette)}` : '',
    replicas !== undefined || changes === undefined ? '' : `\n${renderChanges(changes)}`,
    replicas === undefined ? '' : `\n${renderReplicas(replicas)}`,
    surplus.length === 0 ? '' : `\n${toText(say('views.plan.surplus', { names: surplus.join(', ') }))}\n`,
    `\n${toText(toCommandTitle(planned))}\n${toCommand(planned)}`,
  ].join('');
}

/** As a table; where that is too wide, each reason below its setting. */
function renderDecisions({ decisions }: Plan, palette: Palette, width: number): string {
  const head = [say('views.column.setting'), say('views.column.value'), say('views.column.from'), say('views.column.reason')];
  const rows = decisions.map(({ setting, value, from, reason }) => [setting, toValueText(value), from, toText(reason)]);
  const table = [head.map(toText), ...rows];
  if (toTableWidth(table) <= width) return renderTable(table, palette);
  return rows
    .map(([setting = '', value = '', from = '', reason = '']) => {
      const origin = palette.dim(toText(say('views.plan.origin', { from, reason })));
      return `${toText(say('views.plan.setting', { setting: palette.strong(setting), value }))}\n    ${origin}\n`;
    })
    .join('');
}

function toTitle(plan: Plan, spec: LaunchSpec): string {
  const backend = plan.simulated ? toText(say('views.simulated', { text: plan.backend })) : plan.backend;
  const endpoint = `${spec.endpoint.host}:${spec.endpoint.port}`;
  return toText(say('views.plan.title', { name: plan.name, engine: toText(toEngine(plan)), backend, endpoint }));
}

function toEngine({ engine: { version, source } }: Plan): Message {
  if (source.kind === 'simulator') return say('views.simulator');
  if (source.kind === 'executable') return say('views.plan.executable', { version, program: source.program });
  if (source.kind === 'image') return say('views.plan.image', { version, image: source.reference });
  const { variant, installed } = source;
  return installed ? say('views.plan.installed', { version, variant }) : say('views.plan.to-install', { version, variant });
}

function renderChanges(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return `${toText(say('views.plan.no-changes'))}\n`;
  return `${toText(say('views.plan.changes'))}\n${changes.map((change) => `  ${toChangeLine(change)}\n`).join('')}`;
}

function toChangeLine({ path, from, to }: PlannedChange): string {
  return toText(say('views.plan.change', { path, from: toValueText(from), to: toValueText(to) }));
}

/** Only what is different about each. */
function renderReplicas(replicas: readonly PlannedReplica[]): string {
  const lines = replicas.map(({ name, endpoint, gpus, changes }) => {
    const place = say('views.plan.replica', { name, endpoint: `${endpoint.host}:${endpoint.port}` });
    const seen =
      gpus === undefined ? '' : ` ${toText(say('views.plan.replica-gpus', { gpus: gpus.split(',').map(toGpuWord).join(', ') }))}`;
    return `  ${toText(place)}${seen}\n${(changes ?? []).map((change) => `    ${toChangeLine(change)}\n`).join('')}`;
  });
  return `${toText(say('views.plan.replicas', { count: replicas.length }))}\n${lines.join('')}`;
}

/** A number alone does not say what it counts; a UUID does. */
function toGpuWord(gpu: string): string {
  return /^\d+$/.test(gpu) ? toText(say('views.plan.gpu', { index: gpu })) : gpu;
}

function toValueText(value: unknown): string {
  if (value === undefined) return toText(say('views.unset'));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toCommandTitle({ containerLine, replicas }: Planned): Message {
  if (containerLine !== undefined) return replicas === undefined ? say('views.plan.container') : say('views.plan.container-first');
  return replicas === undefined ? say('views.plan.command') : say('views.plan.command-first');
}

/** Of a container as it is: an indent would become part of a value that has lines of its own. */
function toCommand({ spec, containerLine }: Planned): string {
  return containerLine ?? `  ${toCommandLine(spec)}\n`;
}

/** One line that a POSIX shell understands; a secret is read where its reference says. */
function toCommandLine({ program, args, env, secretEnv }: LaunchSpec): string {
  const settings = [
    ...Object.entries(env).map(([name, value]) => `${name}=${toShellWord(value)}`),
    ...Object.entries(secretEnv).map(([name, reference]) => `${name}=${toSecretWord(reference)}`),
  ];
  return [...(settings.length > 0 ? ['env', ...settings] : []), ...[program, ...args].map(toShellWord)].join(' ');
}
