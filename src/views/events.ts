import type { DeploymentEvent } from '../core/event.ts';
import { toClean } from './clean.ts';
import { toLifeText } from './life-text.ts';
import type { Palette } from './screen.ts';

/** `2026-01-02T03:04:05.678Z  tiny  ready in 41 s: …` */
export function renderEvent(event: DeploymentEvent, palette: Palette): string {
  return `${palette.dim(event.at)}  ${event.deployment}  ${toClean(toLifeText(event))}\n`;
}

export function toEventDocument(event: DeploymentEvent): object {
  return { kind: 'Event', version: 1, ...event, text: toLifeText(event) };
}
