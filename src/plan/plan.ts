import type { Finding } from '../core/finding.ts';
import type { Message } from '../core/message.ts';
import type { BackendName } from '../profile/profile.ts';

/** Every launch setting with its value and the reason for it; nothing has been started. */
export interface Plan {
  readonly profile: string;
  readonly name: string;
  readonly description: string;
  readonly backend: BackendName;
  readonly simulated: boolean;
  readonly engine: { readonly version: string; readonly source: EngineSource };
  readonly model: string;
  readonly decisions: readonly Decision[];
  readonly findings: readonly Finding[];
}

export type EngineSource =
  | { readonly kind: 'managed'; readonly variant: 'gpu' | 'cpu'; readonly program: string; readonly installed: boolean }
  | { readonly kind: 'executable'; readonly program: string }
  | { readonly kind: 'simulator' };

export type DecisionOrigin = 'profile' | 'set' | 'machine' | 'model' | 'engine' | 'calibration' | 'default';

export interface Decision {
  /** Path as in `--set`, or `argv.NAME` for what we add on our own. */
  readonly setting: string;
  readonly value: unknown;
  readonly from: DecisionOrigin;
  readonly reason: Message;
}
