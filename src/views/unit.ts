/** What `install` and `uninstall` did, deployment by deployment. */
import { type Message, say } from '../core/message.ts';
import type { UnitReport } from '../operate/install-unit.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';

/** One is its own document, several are a list. */
export function toUnitsDocument(reports: readonly UnitReport[]): object {
  const units = reports.map(toDocument);
  return units.length === 1 && units[0] !== undefined ? units[0] : { kind: 'UnitList', version: 1, units };
}

function toDocument({ problems, notes, ...report }: UnitReport): object {
  return { ...report, ...(problems ? { problems: problems.map(toText) } : {}), ...(notes ? { notes: notes.map(toText) } : {}) };
}

export function renderUnits(reports: readonly UnitReport[], palette: Palette): string {
  return reports.map((report) => renderUnit(report, palette)).join('');
}

function renderUnit(report: UnitReport, palette: Palette): string {
  const { deployment, path, verified, problems = [], notes = [], commands = [] } = report;
  const state = toText(toState(report));
  const head = `${palette.strong(deployment)} · ${state}${verified ? ` · ${toText(say('unit.verified'))}` : ''}\n`;
  const wrong = problems.map((problem) => `${palette.bad(toText(say('unit.problem')))}  ${toText(problem)}`);
  const next = commands.map((command) => `${toText(say('unit.next'))}  ${palette.strong(command)}`);
  return [head, ...[path, ...wrong, ...notes.map(toText), ...next].map((line) => `  ${line}\n`)].join('');
}

function toState({ enabled, active, changed, verified, problems }: UnitReport): Message {
  if (enabled) return active ? say('unit.enabled-active') : say('unit.enabled');
  if (changed && !verified && problems === undefined) return say('unit.removed');
  return changed ? say('unit.written') : say('unit.unchanged');
}
