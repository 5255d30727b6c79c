/** The support bundle: files that were redacted, a listing of them, and the archive of both. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar } from 'modern-tar';

export interface BundleFile {
  /** Inside of the archive, `/` between its parts. */
  readonly name: string;
  /** For the listing: what it is, and how it was cut. */
  readonly what: string;
  readonly text: string;
}

export interface ListedFile {
  readonly name: string;
  readonly what: string;
  readonly bytes: number;
}

export interface Bundle {
  readonly archive: Uint8Array;
  readonly files: readonly ListedFile[];
}

/** Everything goes through `redact`, names too: that of a deployment may say more than it should. */
export async function packBundle(
  files: readonly BundleFile[],
  { directory, now, redact }: { readonly directory: string; readonly now: Date; readonly redact: (text: string) => string },
): Promise<Bundle> {
  const clean = files.map(({ name, what, text }) => ({ name: redact(name), what: redact(what), text: redact(text) }));
  const listed = clean.map(({ name, what, text }) => ({ name, what, bytes: Buffer.byteLength(text) }));
  const listing = { name: 'LISTING.txt', what: 'this list', text: renderListing(listed, clean) };
  const entries = [listing, ...clean].map(({ name, text }) => {
    const body = Buffer.from(text);
    return { header: { name: `${directory}/${name}`, size: body.length, mode: 0o600, mtime: now, type: 'file' as const }, body };
  });
  return { archive: await promisify(gzip)(await packTar(entries)), files: listed };
}

/** `bytes  checksum  name  what it is`. */
function renderListing(listed: readonly ListedFile[], files: readonly BundleFile[]): string {
  const sums = files.map(({ text }) => createHash('sha256').update(text).digest('hex').slice(0, 16));
  const width = Math.max(4, ...listed.map(({ name }) => name.length));
  return listed
    .map(({ name, what, bytes }, index) => `${String(bytes).padStart(10)}  ${sums[index]}  ${name.padEnd(width)}  ${what}\n`)
    .join('');
}
