/** What the small HTTP clients of this room answer, or say instead. Apart from them, because one of them loads `node:http`. */

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

/** Connection refused, reset, timed out …: no answer at all, as opposed to an answer with a bad status. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  /** `ECONNREFUSED`, `ENOENT`, `ECONNRESET`, `ETIMEDOUT`, `EABORT`, `ETOOBIG`. */
  readonly reason: string;
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

export function toNoReply(error: unknown): NoReply {
  if (error instanceof NoReply) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN';
  return new NoReply(code, error);
}
