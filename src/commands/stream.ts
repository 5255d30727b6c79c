import type { Session } from './session.ts';

export interface Form<T> {
  readonly follow: boolean;
  toDocument(item: T): object;
  toLine(item: T): string;
  /** The one document of a run that does not follow. */
  toList(documents: readonly object[]): object;
}

/** Shows items as they come. As JSON: a line each when following, one document otherwise. */
export async function stream<T>({ screen }: Session, items: AsyncIterable<T>, form: Form<T>): Promise<undefined> {
  const json = screen.output.mode === 'json';
  const kept: object[] = [];
  for await (const item of items) {
    if (!json) screen.out(form.toLine(item));
    else if (form.follow) screen.out(`${JSON.stringify(form.toDocument(item))}\n`);
    else kept.push(form.toDocument(item));
  }
  if (json && !form.follow) screen.out(`${JSON.stringify(form.toList(kept))}\n`);
}
