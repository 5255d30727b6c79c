/** Deployments as a table, one in detail, and the last word of `up`, `restart` and `down`. */
import { type Message, say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { renderFindings } from './findings.ts';
import { toExitTails, toPhaseText } from './life-text.ts';
import type { Palette, Screen } from './screen.ts';
import { labelWidth } from './step-line.ts';
import { renderTable } from './tables.ts';

const none = '-';

export function renderStatusTable(deployments: readonly Deployment[], palette: Palette): string {
  const head = columns.map(toText);
  return renderTable([head, ...deployments.map(toRow)], palette);
}

/** What `up` and `restart` end with, on stdout. */
export function renderServed(deployment: Deployment, { output, palette }: Screen): string {
  const { name, endpoint, simulated, state } = deployment;
  if (output.mode === 'quiet') return `${endpoint}\n`;
  const address = simulated ? toText(say('views.simulated', { text: endpoint })) : endpoint;
  if (output.mode !== 'tty' || state !== 'ready') return `${name} ${toStateText(deployment)} ${address}\n`;
  const command = toText(name === deployment.profile ? say('views.try-ask') : say('views.try-ask-name', { name }));
  const label = (message: Message) => palette.dim(toText(message));
  const padding = ' '.repeat(Math.max(1, labelWidth - toText(say('views.endpoint')).length));
  return `  ${label(say('views.endpoint'))}${padding}${palette.strong(address)}      ${label(say('views.try'))}   ${command}\n`;
}

/** What `down` ends with. */
export function renderDown(deployments: readonly Deployment[], { output }: Screen): string {
  if (output.mode === 'quiet') return '';
  return deployments
    .map((deployment) => {
      const { name, state, simulated } = deployment;
      const text = state === 'stopped' ? toText(say('views.down', { name })) : `${name} ${toStateText(deployment)}`;
      return `${simulated ? toText(say('views.simulated', { text })) : text}\n`;
    })
    .join('');
}

export function renderDetail(deployment: Deployment, palette: Palette): string {
  const head = `${palette.strong(deployment.name)}  ${toStateText(deployment)}\n`;
  const facts = toFacts(deployment).filter(([, text]) => text !== undefined);
  const lines = facts.map(([label, text]) => `  ${palette.dim(toText(label).padEnd(labelWidth))}${text}\n`);
  return head + lines.join('') + renderFindings(deployment.findings ?? [], palette);
}

function toStateText({ state, supervised, desired }: Deployment): string {
  const lost = !supervised && desired === 'up' && state !== 'failed' && state !== 'stopped';
  return lost ? toText(say('views.unsupervised', { state })) : state;
}

function toBackendText({ backend, simulated }: Deployment): string {
  return simulated ? toText(say('views.simulated', { text: backend })) : backend;
}

const columns: readonly Message[] = [
  say('views.column.name'),
  say('views.column.state'),
  say('views.column.profile'),
  say('views.column.backend'),
  say('views.column.endpoint'),
  say('views.column.up'),
  say('views.column.restarts'),
  say('views.column.running'),
  say('views.column.waiting'),
  say('views.column.kv'),
  say('views.column.tokens'),
];

function toRow(deployment: Deployment): readonly string[] {
  const { name, profile, endpoint, load, uptimeSeconds, restarts } = deployment;
  return [
    name,
    toStateText(deployment),
    profile,
    toBackendText(deployment),
    isDown(deployment) ? none : endpoint,
    uptimeSeconds === undefined || isDown(deployment) ? none : toUptime(uptimeSeconds),
    String(restarts.total),
    load === undefined ? none : String(load.running),
    load === undefined ? none : String(load.waiting),
    load === undefined ? none : toText(say('views.percent', { percent: Math.round(load.kvUsage * 100) })),
    load === undefined ? none : String(Math.round(load.tokensPerSecond)),
  ];
}

function isDown({ state }: Deployment): boolean {
  return state === 'stopped' || state === 'failed';
}

function toFacts(deployment: Deployment): readonly (readonly [Message, string | undefined])[] {
  const { phase, health, pid, containerId, nextStartAt, desired, state } = deployment;
  return [
    [say('views.endpoint'), isDown(deployment) ? undefined : deployment.endpoint],
    [say('views.label.serves'), deployment.servedNames.join(', ') || undefined],
    [say('views.label.profile'), deployment.profile],
    [say('views.label.model'), deployment.model],
    [say('views.label.engine'), `${toEngineText(deployment)} · ${toBackendText(deployment)}`],
    [say('views.label.wanted'), desired === 'up' && state === 'ready' ? undefined : desired],
    [say('views.label.phase'), phase === undefined || health.ready ? undefined : toPhaseText(phase)],
    [say('views.label.health'), health.reason],
    [say('views.label.up'), toUptimeText(deployment)],
    [say('views.label.process'), pid === undefined ? undefined : String(pid)],
    [say('views.label.container'), containerId],
    [say('views.label.load'), toLoadText(deployment)],
    [say('views.label.restarts'), toText(say('views.restarts', deployment.restarts))],
    [say('views.label.next'), nextStartAt],
    [say('views.label.last-exit'), toLastExitText(deployment)],
    [say('views.label.supervisor'), toSupervisorText(deployment)],
    [
      say('views.label.drift'),
      deployment.configDrift ? toText(say('views.drift', { name: deployment.name, profile: deployment.profile })) : undefined,
    ],
  ];
}

function toEngineText({ simulated, engine }: Deployment): string {
  return toText(simulated ? say('views.simulator') : say('views.engine-version', { version: engine.version }));
}

function toUptimeText({ uptimeSeconds, readyAt }: Deployment): string | undefined {
  if (uptimeSeconds === undefined) return undefined;
  const uptime = toUptime(uptimeSeconds);
  return readyAt === undefined ? uptime : toText(say('views.up-since', { uptime, readyAt }));
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
  return toText(say('views.last-exit', { at: lastExit.at, cause: lastExit.cause, ...toExitTails(lastExit) }));
}

function toSupervisorText({ supervised, supervisor, name, profile, desired }: Deployment): string | undefined {
  if (supervisor !== undefined && supervised) return toText(say('views.supervised', { pid: supervisor.pid }));
  return desired === 'up' ? toText(say('views.not-supervised', { name, profile })) : undefined;
}
