/** One reason to stop a command. Codes are stable public interface; the words live in `text/en/errors.ts`. */
import type { errors } from '../text/en/errors.ts';
import { exitStatusOf } from './exit.ts';
import type { Diagnosis, Finding } from './finding.ts';
import type { Param, Params, Placeholders } from './message.ts';

type ErrorCatalogue = typeof errors;
export type ErrorCode = keyof ErrorCatalogue;

type Templates<C extends ErrorCode> = ErrorCatalogue[C] extends { message: infer M extends string }
  ? ErrorCatalogue[C] extends { hint: infer H extends string }
    ? M | H
    : M
  : never;
export type ErrorParams<C extends ErrorCode> = Readonly<Record<Placeholders<Templates<C>>, Param>>;

export interface ErrorDetails {
  readonly cause?: unknown;
  readonly findings?: readonly Finding[];
  readonly diagnosis?: Diagnosis;
}

export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly code: ErrorCode;
  readonly params: Params;
  readonly findings: readonly Finding[];
  readonly diagnosis: Diagnosis | undefined;

  private constructor(code: ErrorCode, params: Params, details: ErrorDetails) {
    super(`${code as string} ${JSON.stringify(params)}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.params = params;
    this.findings = details.findings ?? [];
    this.diagnosis = details.diagnosis;
  }

  /** The wrong value belongs in `params`; the next step is the code's hint in the catalogue. */
  static of<C extends ErrorCode>(code: C, params: ErrorParams<C>, details: ErrorDetails = {}): DeployError {
    return new DeployError(code, params as Params, details);
  }

  /** Rebuilds an error that crossed a process boundary as JSON (control socket). */
  static revive(wire: { readonly code: ErrorCode; readonly params: Params }): DeployError {
    return new DeployError(wire.code, wire.params, {});
  }

  get exitStatus(): number {
    return exitStatusOf(this.code);
  }
}
