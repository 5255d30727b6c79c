/**
 * Versions: in the head of the table, in `--version`, in `-q`. Driver 610 gave new names to two of them, and prints
 * `Deprecated, see "KMD version" instead` beside the old ones.
 */
import { toEntry } from './cells.ts';
import type { SmiReading } from './reading.ts';

export type SmiVersions = Pick<SmiReading, 'driverVersion' | 'cudaVersion' | 'smiVersion' | 'kmdVersion' | 'umdVersion' | 'nvmlVersion'>;

/** Name in lower case → version, as it is printed. */
export function toVersions(named: ReadonlyMap<string, string>): SmiVersions {
  const driver = (name: string) => toMatch(named.get(name), /^\d{3}\.\d{1,4}(?:\.\d{1,4})?$/);
  const cuda = (name: string) => toMatch(named.get(name), /^\d{1,2}\.\d$/);
  const [kmdVersion, umdVersion] = [driver('kmd version'), cuda('cuda umd version')];
  return {
    ...toEntry('driverVersion', driver('driver version') ?? kmdVersion),
    ...toEntry('cudaVersion', cuda('cuda version') ?? umdVersion),
    ...toEntry('smiVersion', driver('nvidia-smi') ?? driver('nvidia-smi version')),
    ...toEntry('kmdVersion', kmdVersion),
    ...toEntry('umdVersion', umdVersion),
    ...toEntry('nvmlVersion', driver('nvml version') ?? driver('nvml library version')),
  };
}

/** `| NVIDIA-SMI 610.43.02    KMD Version: 610.43.02    CUDA UMD Version: 13.3 |`: all of them end before a blank. */
export function parseTableVersions(lines: readonly string[]): SmiVersions {
  const head = lines.find((line) => /^\|\s*NVIDIA-SMI\s/.test(line)) ?? '';
  const found = head.matchAll(/(NVIDIA-SMI|(?:Driver|KMD|CUDA|CUDA UMD) Version:)\s+(\d[\d.]*)(?=\s)/g);
  return toVersions(new Map([...found].map(([, name = '', version = '']) => [name.replace(':', '').toLowerCase(), version])));
}

/** `DRIVER version      : 580.95.05` */
export function parseVersionLines(lines: readonly string[]): SmiVersions {
  const found = lines.flatMap((line) => {
    const [, name, version] =
      /^\s*((?:NVIDIA-SMI|NVML|DRIVER|CUDA|KMD|CUDA UMD|NVML library) version)\s*: (\d[\d.]*)$/i.exec(line.trimEnd()) ?? [];
    return name === undefined || version === undefined ? [] : [[name.toLowerCase(), version] as const];
  });
  return toVersions(new Map(found));
}

function toMatch(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}
