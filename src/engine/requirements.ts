/**
 * What the CPU package needs, taken from its own metadata, so that any version of it can be installed. The list is
 * given to the installer in place of the package's own requirements, because those pin the CPU build of torch
 * (`torch==2.13.0+cpu`), which only PyTorch's own index has.
 */

export interface Requirements {
  /** Lines of a requirements file. */
  readonly lines: readonly string[];
  /** The version that torch is pinned to, e.g. `2.13.0+cpu`; undefined when it is not pinned. */
  readonly torch: string | undefined;
  /** The pin names a build (`+cpu`) that ordinary indexes do not have. */
  readonly hasLocalTorch: boolean;
}

/** Only for models that see or hear; large, and for torch 2.13 not everywhere to be had. */
const multimodal = new Set(['torchvision', 'torchaudio', 'torchcodec']);

/** From the text of a METADATA file; extras are left out. */
export function parseRequirements(metadata: string): Requirements {
  const head = metadata.split(/\r?\n\r?\n/)[0] ?? '';
  const all = [...head.matchAll(/^Requires-Dist: (.+)$/gm)].map((match) => (match[1] ?? '').trim());
  const lines = all.filter((line) => !/;.*\bextra\s*==/.test(line) && !multimodal.has(toName(line)));
  const torchLines = lines.filter((line) => toName(line) === 'torch');
  const pins = torchLines.map(toPin).filter((pin) => pin !== undefined);
  const local = pins.find((pin) => pin.includes('+'));
  return {
    // torch first: pip then notices at once that it cannot be had, before it downloads the others
    lines: [...torchLines, ...lines.filter((line) => toName(line) !== 'torch')],
    torch: local ?? pins[0],
    hasLocalTorch: local !== undefined,
  };
}

/** The same with torch's build left open: `torch==2.13.0+cpu; …` → `torch==2.13.0; …`. */
export function toPlainTorch(requirements: Requirements): readonly string[] {
  return requirements.lines.map((line) => (toName(line) === 'torch' ? line.replace(/(==\s*[\w.]+)\+[\w.]+/, '$1') : line));
}

function toName(requirement: string): string {
  return (/^[A-Za-z0-9._-]+/.exec(requirement)?.[0] ?? '').toLowerCase().replace(/[-_.]+/g, '-');
}

function toPin(requirement: string): string | undefined {
  return /==\s*([\w.+]+)/.exec(requirement.split(';')[0] ?? '')?.[1];
}
