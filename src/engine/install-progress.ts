import type { Emit } from '../core/event.ts';
import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { addDownload, noDownloads, parseProgressLine } from './output.ts';

/** Bytes; uv's own threshold. */
const worthTelling = 2 ** 20;

/** Turns an installer's lines into progress of a step. `totalIsKnown`: uv names all downloads at the beginning. */
export function createDownloadReporter(
  emit: Emit,
  { step, totalIsKnown }: { readonly step: string; readonly totalIsKnown: boolean },
): (line: string) => void {
  let downloads = noDownloads;
  return (line) => {
    const seen = parseProgressLine(line);
    if (seen === undefined) return;
    downloads = addDownload(downloads, seen);
    // A hundred small packages are no news (uv leaves them out itself), nor is the package whose needs come later.
    if (seen.is === 'downloading' ? seen.bytes < worthTelling : 'count' in seen && seen.count <= 1) return;
    const { doneBytes, totalBytes } = downloads;
    const sizes = totalBytes === 0 ? {} : totalIsKnown ? { doneBytes, totalBytes } : { doneBytes };
    emit({ type: 'step-progress', step, text: toText(seen, { doneBytes, totalBytes }), ...sizes });
  };
}

function toText(
  seen: NonNullable<ReturnType<typeof parseProgressLine>>,
  sums: { readonly doneBytes: number; readonly totalBytes: number },
) {
  switch (seen.is) {
    case 'resolved':
      return say('engine.packages-resolved', { count: seen.count });
    case 'downloading':
      return say('engine.packages-downloading', { name: seen.name, size: toSizeText(seen.bytes) });
    case 'downloaded':
      return say('engine.packages-downloaded', { done: toSizeText(sums.doneBytes), total: toSizeText(sums.totalBytes) });
    case 'unpacking':
      return say('engine.packages-unpacking', { count: seen.count });
  }
}
