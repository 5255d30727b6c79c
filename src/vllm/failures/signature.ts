import type { CauseId } from './causes.ts';
import type { Facts } from './evidence.ts';

/**
 * What a line is to a failure, the most telling first: `root` names what is wrong; `hint` does too, but a root that is
 * there besides knows better; `symptom` is what followed; `generic` only says that something failed; `noise` is of
 * every end, a bad one or not. `context` names no cause: it tells of which kind another one is.
 */
export type SignatureRole = 'root' | 'hint' | 'symptom' | 'generic' | 'noise' | 'context';

/**
 * One way to say one thing. The pattern is tried on a line without prefixes, and on two lines that were one before
 * somebody wrapped them. It has to be linear: gaps are bounded, nothing is looked ahead for, no repetition of repetitions.
 */
export interface Signature {
  readonly cause: CauseId;
  readonly pattern: RegExp;
  /** `root` when left out. */
  readonly role?: SignatureRole;
  /** Counts where it is printed as information or a warning too. */
  readonly quiet?: true;
  /** The same words mean nothing in the other half of a life. */
  readonly when?: 'starting' | 'serving';
  /** Where this wording decides differently from the table of causes. */
  readonly verdict?: 'permanent' | 'transient';
  /** Where what it extracted decides. Undefined: the table does. */
  readonly judge?: (facts: Facts) => 'permanent' | 'transient' | undefined;
  /** `sure` when left out. */
  readonly confidence?: 'likely' | 'unsure';
}
