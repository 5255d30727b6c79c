import type { Emit } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import type { TransferProgress } from '../host/docker/docker.ts';

export const imageStep = 'engine.image';

/** Turns what an engine says of its layers into progress of a step; the same news twice are none. */
export function createImageReporter(emit: Emit): (progress: TransferProgress) => void {
  let last = '';
  return (progress) => {
    const { phase, layersDone, layers, doneBytes, totalBytes, waitMs } = progress;
    const news = [phase, layersDone, layers, doneBytes, totalBytes, waitMs].join();
    if (news === last) return;
    last = news;
    // Sizes become known layer by layer: while some are not, the sum would only seem to be the end of it.
    const sizes = doneBytes === 0 ? {} : totalBytes === undefined || totalBytes < doneBytes ? { doneBytes } : { doneBytes, totalBytes };
    emit({ type: 'step-progress', step: imageStep, text: toProgressText(progress), ...sizes });
  };
}

function toProgressText({ phase, layersDone: done, layers: total, waitMs = 0 }: TransferProgress): Message {
  switch (phase) {
    case 'downloading':
      return say('engine.image-downloading', { done, total });
    case 'waiting':
      return say('engine.image-waiting', { wait: toDurationText(waitMs), done, total });
    case 'unpacking':
      return say('engine.image-unpacking', { done, total });
    case 'loading':
      return say('engine.image-loading');
    case 'saving':
      return say('engine.image-saving');
  }
}
