/** Deployments as a table, one in detail, and the last word of `up`, `restart` and `down`. */
import { type Message, say } from '../core/message.ts';
import { toBecause } from '../core/pressure.ts';
import { toDurationText, toSizeText } from '../core/units.ts';
import type { Deployment, RunningWith } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { toClean } from './clean.ts';
import { renderFindings } from './findings.ts';
import { toCause, toContainerText, toExitTails, toPhaseText } from './life-text.ts';
import { toRemedyText } from './remedies.ts';
import type { Palette, Screen } from './screen.ts';
import { labelWidth } from './step-line.ts';
import { renderTable, toTableWidth, toWidth } from './tables.ts';

const none = '-';

/** `width` of the terminal, where there is one: columns that it has no room for are left out, the least telling first. */
export function renderStatusTable(deployments: readonly Deployment[], palette: Palette, width = Number.POSITIVE_INFINITY): string {
  const toRows = (shown: readonly Column[]) => [
    shown.map(({ head }) => toText(head)),
    ...deployments.map((deployment) => shown.map(({ toCell }) => toCell(deployment))),
  ];
  const dispensable = columns.filter(({ spare }) => spare !== undefined).toSorted((a, b) => (a.spare ?? 0) - (b.spare ?? 0));
  let shown = columns;
  for (const column of dispensable) {
    if (toTableWidth(toRows(shown)) <= width) break;
    shown = shown.filter((one) => one !== column);
  }
  return renderTable(toRows(shown), palette);
}

/** What `up` and `restart` end with, on stdout. `alone`: the only deployment, so that it need not be named. */
export function renderServed(deployment: Deployment, screen: Screen, { alone = true }: { readonly alone?: boolean } = {}): string {
  const { name, endpoint, simulated, state } = deployment;
  const { mode } = screen.output;
  if (mode === 'quiet') return isDown(deployment) ? '' : `${endpoint}\n`;
  if (isDown(deployment)) return toDownLine(deployment);
  const address = simulated ? toText(say('views.simulated', { text: endpoint })) : endpoint;
  if (mode !== 'tty' || state !== 'ready') return `${name} ${toStateText(deployment)} ${address}\n`;
  const command = toText(alone ? say('views.try-ask') : say('views.try-ask-name', { name }));
  return toInvitation(address, command, screen);
}

/** `endpoint … try …`, on two lines where the terminal is too narrow for one. */
function toInvitation(address: string, command: string, { palette, size }: Screen): string {
  const label = (message: Message) => palette.dim(toText(message));
  const padded = (message: Message) => label(message) + ' '.repeat(Math.max(1, labelWidth - toText(message).length));
  const first = `  ${padded(say('views.endpoint'))}${palette.strong(address)}`;
  const width = 2 + labelWidth + toWidth(`${address}      ${toText(say('views.try'))}   ${command}`);
  const narrow = width > (size()?.columns ?? Number.POSITIVE_INFINITY);
  return narrow ? `${first}\n  ${padded(say('views.try'))}${command}\n` : `${first}      ${label(say('views.try'))}   ${command}\n`;
}

/** What `down` ends with. */
export function renderDown(deployments: readonly Deployment[], { output }: Screen): string {
  if (output.mode === 'quiet') return '';
  return deployments.map(toDownLine).join('');
}

function toDownLine(deployment: Deployment): string {
  const { name, state, simulated } = deployment;
  const text = state === 'stopped' ? toText(say('views.down', { name })) : `${name} ${toStateText(deployment)}`;
  return `${simulated ? toText(say('views.simulated', { text })) : text}\n`;
}

export function renderDetail(deployment: Deployment, palette: Palette): string {
  const head = `${palette.strong(deployment.name)}  ${toStateText(deployment)}\n`;
  const facts = toFacts(deployment).filter(([, text]) => text !== undefined);
  const lines = facts.map(([label, text]) => `  ${palette.dim(toText(label).padEnd(labelWidth))}${text}\n`);
  return head + lines.join('') + renderFindings(deployment.findings ?? [], palette);
}

function toStateText({ state, supervised, desired, frozen }: Deployment): string {
  if (frozen) return toText(say('views.frozen', { state }));
  const lost = !supervised && desired === 'up' && state !== 'failed' && state !== 'stopped';
  return lost ? toText(say('views.unsupervised', { state })) : state;
}

interface Column {
  readonly head: Message;
  readonly toCell: (deployment: Deployment) => string;
  /** The first to be left out where the terminal is narrow has 1. */
  readonly spare?: number;
}

const columns: readonly Column[] = [
  { head: say('views.column.name'), toCell: ({ name }) => name },
  { head: say('views.column.state'), toCell: toStateText },
  { head: say('views.column.profile'), toCell: ({ profile }) => profile, spare: 1 },
  { head: say('views.column.backend'), toCell: ({ backend, simulated }) => (simulated ? toText(say('views.simulated-backend')) : backend) },
  { head: say('views.column.endpoint'), toCell: (deployment) => (isDown(deployment) ? none : deployment.endpoint) },
  { head: say('views.column.up'), toCell: toUptimeCell, spare: 7 },
  { head: say('views.column.restarts'), toCell: ({ restarts }) => String(restarts.total), spare: 6 },
  { head: say('views.column.running'), toCell: ({ load }) => (load === undefined ? none : String(load.running)), spare: 4 },
  { head: say('views.column.waiting'), toCell: ({ load }) => (load === undefined ? none : String(load.waiting)), spare: 2 },
  { head: say('views.column.kv'), toCell: toKvCell, spare: 3 },
  {
    head: say('views.column.tokens'),
    toCell: ({ load }) => (load === undefined ? none : String(Math.round(load.tokensPerSecond))),
    spare: 5,
  },
];

function toUptimeCell(deployment: Deployment): string {
  const { uptimeSeconds } = deployment;
  return uptimeSeconds === undefined || isDown(deployment) ? none : toUptime(uptimeSeconds);
}

function toKvCell({ load }: Deployment): string {
  return load === undefined ? none : toText(say('views.percent', { percent: Math.round(load.kvUsage * 100) }));
}

function isDown({ state }: Deployment): boolean {
  return state === 'stopped' || state === 'failed';
}

function toFacts(deployment: Deployment): readonly (readonly [Message, string | undefined])[] {
  const { phase, health, pid, nextStartAt, desired } = deployment;
  return [
    [say('views.endpoint'), isDown(deployment) ? undefined : deployment.endpoint],
    [say('views.label.serves'), deployment.servedNames.join(', ') || undefined],
    [say('views.label.profile'), deployment.profile],
    [say('views.label.adapted'), toAdaptedText(deployment)],
    ...(deployment.running ?? []).map((one) => [say('views.label.running'), toRunningText(one)] as const),
    [say('views.label.model'), deployment.model],
    [say('views.label.engine'), toEngineText(deployment)],
    [say('views.label.wanted'), (desired === 'up') === isDown(deployment) ? desired : undefined],
    [
      say('views.label.phase'),
      phase === undefined || health.ready ? undefined : [toPhaseText(phase), ...toStartParts(deployment)].join(' · '),
    ],
    [say('views.label.frozen'), toFrozenText(deployment)],
    [say('views.label.health'), health.reason],
    [say('views.label.up'), toUptimeText(deployment)],
    [say('views.label.process'), pid === undefined ? undefined : String(pid)],
    [say('views.label.container'), toContainerFact(deployment)],
    [say('views.label.load'), toLoadText(deployment)],
    [say('views.label.restarts'), toRestartsText(deployment)],
    [say('views.label.next'), nextStartAt],
    [say('views.label.last-exit'), toLastExitText(deployment)],
    ...toReasons(deployment),
    [say('views.label.bundle'), deployment.lastExit?.bundle],
    [say('views.label.supervisor'), toSupervisorText(deployment)],
    [
      say('views.label.drift'),
      deployment.configDrift ? toText(say('views.drift', { name: deployment.name, profile: deployment.profile })) : undefined,
    ],
  ];
}

function toContainerFact({ container, owed }: Deployment): string | undefined {
  if (owed) return toText(say('views.container-owed', { container: toContainerText(owed.containerId) }));
  return container && toContainerText(container.id, container.image);
}

function toFrozenText({ frozen, name }: Deployment): string | undefined {
  return frozen && toText(say('views.frozen-since', { ...frozen, name }));
}

function toAdaptedText({ adapted, profile }: Deployment): string | undefined {
  if (adapted === undefined) return undefined;
  const { from, since, because } = adapted;
  return toText(say('views.adapted', { profile, from, since, because: toBecause(because) }));
}

function toRunningText({ path, from = none, to = none, because }: RunningWith): string {
  return toText(say('views.running', { path, from: String(from), to: String(to), because }));
}

/** How far a start is: `12 s of usually 41 s`, `1.2 GiB of 8.0 GiB`. */
function toStartParts({ startsIn }: Deployment): readonly string[] {
  if (startsIn === undefined) return [];
  const { elapsedSeconds, usuallySeconds, downloadedBytes, totalBytes } = startsIn;
  const elapsed = toUptime(elapsedSeconds);
  const done = downloadedBytes === undefined ? undefined : toSizeText(downloadedBytes);
  const parts = [
    usuallySeconds === undefined ? elapsed : toText(say('views.of-usually', { elapsed, usual: toUptime(usuallySeconds) })),
    done === undefined || totalBytes === undefined ? done : toText(say('views.of-bytes', { done, total: toSizeText(totalBytes) })),
  ];
  return parts.filter((part) => part !== undefined);
}

function toEngineText({ simulated, engine, backend }: Deployment): string {
  return toText(simulated ? say('views.simulator') : say('views.engine-version', { version: engine.version, backend }));
}

function toUptimeText({ uptimeSeconds, readyAt }: Deployment): string | undefined {
  if (uptimeSeconds === undefined) return undefined;
  const uptime = toUptime(uptimeSeconds);
  return readyAt === undefined ? uptime : toText(say('views.up-since', { uptime, readyAt }));
}

function toRestartsText({ restarts }: Deployment): string {
  return toText(restarts.total === 0 ? say('views.no-restarts') : say('views.restarts', restarts));
}

/** Whole seconds: nobody needs tenths of them here. */
function toUptime(seconds: number): string {
  return seconds < 60 ? `${Math.floor(seconds)} s` : toDurationText(seconds * 1000);
}

function toLoadText({ load }: Deployment): string | undefined {
  if (load === undefined) return undefined;
  const kv = Math.round(load.kvUsage * 100);
  return toText(say('views.load', { running: load.running, waiting: load.waiting, kv, tokens: Math.round(load.tokensPerSecond) }));
}

function toLastExitText({ lastExit }: Deployment): string | undefined {
  if (lastExit === undefined) return undefined;
  return toText(say('views.last-exit', { at: lastExit.at, cause: toCause(lastExit.cause), ...toExitTails(lastExit) }));
}

const serving: readonly Deployment['state'][] = ['ready', 'degraded'];

/** Of what is over and done with, nothing is to be mended. */
function toReasons({ lastExit, state, restarts }: Deployment): readonly (readonly [Message, string])[] {
  const { title, remedies = [] } = lastExit?.diagnosis ?? {};
  if (title === undefined || (serving.includes(state) && restarts.sinceStable === 0)) return [];
  return [
    [say('views.label.why'), toClean(toText(title))],
    ...remedies.map((one) => [say('views.label.mend'), toRemedyText(one)] as const),
  ];
}

function toSupervisorText({ supervised, supervisor, name, desired }: Deployment): string | undefined {
  if (supervisor !== undefined && supervised) return toText(say('views.supervised', { pid: supervisor.pid }));
  return desired === 'up' ? toText(say('views.not-supervised', { name })) : undefined;
}
