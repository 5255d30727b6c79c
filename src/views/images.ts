import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { ExportedImage } from '../operate/export-image.ts';
import type { InstalledImages, PlannedImage } from '../operate/install-image.ts';
import type { ListedImage } from '../operate/list-images.ts';
import type { RemovedImage } from '../operate/remove-image.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

export function renderImageList(images: readonly ListedImage[], palette: Palette): string {
  const head = [
    say('views.column.image'),
    say('views.column.version'),
    say('views.column.size'),
    say('views.column.brought'),
    say('views.column.docker'),
  ];
  const rows = images.map(({ reference, version, sizeBytes, at, docker }) => [
    reference,
    version ?? '-',
    toSizeText(sizeBytes),
    at.slice(0, 10),
    toText(say(`views.image.${docker}`)),
  ]);
  return renderTable([head.map(toText), ...rows], palette);
}

/** One per line, to be put into `engine.image`. */
export function renderInstalledImages({ images }: InstalledImages): string {
  return images.map(({ reference }) => `${reference}\n`).join('');
}

export function renderExportedImage({ file }: ExportedImage): string {
  return `${file}\n`;
}

export function renderRemovedImage({ reference, wasThere }: RemovedImage): string {
  return `${toText(say(wasThere ? 'engine.image-removed' : 'engine.image-forgotten', { reference }))}\n`;
}

/** As one would type it. */
export function renderImagePlan({ line }: PlannedImage): string {
  return `${line}\n`;
}
