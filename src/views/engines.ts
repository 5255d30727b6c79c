import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { InstalledEngine } from '../engine/engine.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

export function renderEngineList(engines: readonly InstalledEngine[], palette: Palette): string {
  const head = [
    say('views.column.engine'),
    say('views.column.version'),
    say('views.column.torch'),
    say('views.column.python'),
    say('views.column.size'),
    say('views.column.installed'),
    say('views.column.program'),
  ];
  const rows = engines.map((engine) => [
    engine.id,
    engine.version,
    engine.torch,
    engine.pythonVersion,
    toSizeText(engine.sizeBytes),
    engine.installedAt.slice(0, 10),
    engine.program,
  ]);
  return renderTable([head.map(toText), ...rows], palette);
}
