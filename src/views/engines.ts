import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { EngineList, ListedEngine } from '../operate/engine-list.ts';
import type { SyncedCatalogue, SyncedFlags } from '../operate/engine-sync-flags.ts';
import type { Removed } from '../operate/remove-image.ts';
import { toText } from '../text/render.ts';
import { renderImageList, renderRemovedImage } from './images.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

/** Directories and images differ too much for one table. */
export function renderEngines({ engines, images }: EngineList, palette: Palette): string {
  const tables = [
    ...(engines.length === 0 ? [] : [renderEngineList(engines, palette)]),
    ...(images.length === 0 ? [] : [renderImageList(images, palette)]),
  ];
  return tables.join('\n');
}

export function renderRemoved(removed: Removed): string {
  return removed.kind === 'RemovedImage' ? renderRemovedImage(removed) : `${toText(say('views.engine.removed', { id: removed.id }))}\n`;
}

export function renderEngineList(engines: readonly ListedEngine[], palette: Palette): string {
  const head = [
    say('views.column.engine'),
    say('views.column.version'),
    say('views.column.torch'),
    say('views.column.python'),
    say('views.column.size'),
    say('views.column.installed'),
    say('views.column.flags'),
    say('views.column.program'),
  ];
  const rows = engines.map((engine) => [
    engine.id,
    engine.version,
    engine.torch,
    engine.pythonVersion,
    toSizeText(engine.sizeBytes),
    engine.installedAt.slice(0, 10),
    toText(say(`views.flags.${engine.flags}`)),
    engine.program,
  ]);
  return renderTable([head.map(toText), ...rows], palette);
}

export function renderSyncedFlags({ catalogues }: SyncedFlags): string {
  const lines = catalogues.flatMap(({ engineVersion, flags, path, before }) => [
    say('views.flags.synced', { version: engineVersion, count: flags, path }),
    ...(before ? toDifferenceLines(before) : []),
  ]);
  return lines.map((line) => `${toText(line)}\n`).join('');
}

function toDifferenceLines({ version, added, removed }: NonNullable<SyncedCatalogue['before']>): readonly Message[] {
  return [
    say('views.flags.differs', { version, added: added.length, removed: removed.length }),
    ...(added.length === 0 ? [] : [say('views.flags.added', { names: added.join(', ') })]),
    ...(removed.length === 0 ? [] : [say('views.flags.removed', { names: removed.join(', ') })]),
  ];
}
