import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { ListedEngine } from '../operate/engine-list.ts';
import type { SyncedCatalogue, SyncedFlags } from '../operate/engine-sync-flags.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

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
