/** Names of images. */

/** `host:5000/a/b:tag`: the last colon after the last slash. Without a tag the engine would fetch all of them. */
export function splitReference(reference: string): { readonly name: string; readonly tag: string } {
  const [named = '', digest] = reference.split('@', 2);
  const [, name = named, tag] = /^(.*):([^:/]+)$/.exec(named) ?? [];
  return { name, tag: digest ?? tag ?? 'latest' };
}

export function toPath(reference: string): string {
  return `/images/${reference.split('/').map(encodeURIComponent).join('/')}`;
}
