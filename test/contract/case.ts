import type { Kit } from './kit.ts';
import type { Ability } from './stage.ts';

export interface Case {
  /** Reads on from “the runtime of …”. */
  readonly promises: string;
  readonly needs: readonly Ability[];
  readonly play: (kit: Kit) => Promise<void>;
}
