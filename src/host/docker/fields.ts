/** Readers of what an engine answers: it comes from outside, and other programs than Docker's speak the same language. */

export function toField(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Undefined for an empty text too. */
export function toText(value: unknown, key: string): string | undefined {
  const text = toField(value, key);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

export function toNumber(value: unknown, key: string): number | undefined {
  const number = toField(value, key);
  return typeof number === 'number' ? number : undefined;
}

export function toList(value: unknown, key: string): readonly unknown[] | undefined {
  const list = toField(value, key);
  return Array.isArray(list) ? list : undefined;
}

export function toTexts(value: unknown, key: string): readonly string[] | undefined {
  return toList(value, key)?.filter((entry) => typeof entry === 'string');
}

/** Empty where there is none: engines write `null` for an empty one. */
export function toRecord(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const record = toField(value, key);
  return typeof record === 'object' && record !== null && !Array.isArray(record) ? Object.fromEntries(Object.entries(record)) : {};
}

export function toTextRecord(value: unknown, key: string): Readonly<Record<string, string>> {
  const texts = Object.entries(toRecord(value, key)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // not JSON
    return undefined;
  }
}
