import { toPublicEvent } from '../core/diagnosis-document.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { toText } from '../text/render.ts';
import { toClean } from './clean.ts';
import { toLifeText } from './life-text.ts';
import { toRemedyText } from './remedies.ts';
import type { Palette } from './screen.ts';

/** `2026-01-02T03:04:05.678Z  tiny  ready in 41 s: …` */
export function renderEvent(event: DeploymentEvent, palette: Palette): string {
  const lines = [
    `${palette.dim(event.at)}  ${event.deployment}  ${toClean(toLifeText(event))}`,
    ...toReason(event).map((line) => `    ${line}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const mostRemedies = 3;

/** Below an end that has a reason: what it is called, and what would mend it. All of it where nothing is tried again. */
function toReason(event: DeploymentEvent): readonly string[] {
  if ((event.type !== 'exited' || event.expected) && event.type !== 'failed') return [];
  const { diagnosis } = event.exit;
  if (diagnosis === undefined) return [];
  const { title, remedies = [] } = diagnosis;
  const shown = remedies.slice(0, event.type === 'failed' ? mostRemedies : 1);
  return [toClean(toText(title)), ...shown.map((remedy) => `→ ${toRemedyText(remedy)}`)];
}

export function toEventDocument(event: DeploymentEvent): object {
  return { kind: 'Event', version: 1, ...toPublicEvent(event, toText), text: toLifeText(event) };
}
