/** Amounts as Docker writes them → as a profile does. */

/** `16g`, `2gb`, `1073741824`: Docker's units are binary, whatever they are called. Undefined when it is no size. */
export function toBytesText(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase().replace('b', ''));
  return toSize(Math.round(Number(match[1]) * 1024 ** power));
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** In the largest unit that needs no fraction. */
function toSize(bytes: number): string | undefined {
  if (bytes <= 0) return undefined;
  const step = units.findLastIndex((_, index) => bytes % 1024 ** index === 0);
  return `${bytes / 1024 ** step}${units[step]}`;
}

/** Values of `--gpus`, with what is left of quotes inside of quotes. Undefined when it is none. */
export function toGpus(text: string): 'auto' | 'none' | number | readonly (string | number)[] | undefined {
  const plain = text.replace(/["']/g, '').trim();
  if (plain === 'all' || /^all,|^count=all\b|,count=all\b/.test(plain)) return 'auto';
  const count = /^(?:count=)?([1-9]\d*)(?:,(?:capabilities|driver).*)?$/.exec(plain)?.[1];
  if (count !== undefined) return Number(count);
  const devices = /(?:^|,)device=([^=]*?)(?:,\w+=.*)?$/.exec(plain)?.[1];
  return devices === undefined ? undefined : toGpuList(devices);
}

/** `0,1`, `GPU-…`; what hides all of them is `none`. Undefined when it is no list. */
export function toGpuList(text: string): 'auto' | 'none' | readonly (string | number)[] | undefined {
  const plain = text.replace(/["']/g, '').trim();
  if (plain === 'all') return 'auto';
  if (plain === '' || plain === '-1' || plain === 'none' || plain === 'void' || plain === 'NoDevFiles') return 'none';
  const items = plain.split(',').map((item) => item.trim());
  if (!items.every((item) => /^(\d+|(GPU|MIG)-[\w/-]+)$/.test(item))) return undefined;
  return items.map((item) => (/^\d+$/.test(item) ? Number(item) : item));
}
