import { join } from 'node:path';
import { type Message, say } from '../core/message.ts';
import { toEngineId, toEnginesDirectory } from '../engine/installed.ts';
import { toPublicVersion } from '../engine/version.ts';
import type { Places } from '../host/environment.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import type { EngineSource } from './plan.ts';

export interface EngineDecision {
  readonly source: EngineSource;
  readonly version: string;
  readonly reason: Message;
  /** Python cannot keep its bytecode beside its code, so it needs another place for it. */
  readonly needsBytecodeElsewhere: boolean;
}

/** Which vLLM runs: the one named, else the one we installed, else a fitting one on PATH, else the one to install. */
export function chooseEngine(
  profile: Profile,
  facts: Facts,
  { places, backend }: { readonly places: Places; readonly backend: BackendName },
): EngineDecision {
  const { variant, version, executable } = profile.engine;
  if (backend === 'simulator') {
    return { source: { kind: 'simulator' }, version: 'simulated', reason: say('plan.engine-simulator'), needsBytecodeElsewhere: false };
  }
  if (backend === 'docker') return chooseImage(profile, facts);
  const program = facts.executable;
  const usable = program !== undefined && !('problem' in program) ? program : undefined;
  if (executable !== undefined) {
    return {
      source: { kind: 'executable', program: program?.path ?? executable },
      version: usable?.version ?? version,
      reason: say('plan.engine-executable'),
      needsBytecodeElsewhere: usable?.writable === false,
    };
  }
  const installed = facts.engines.find((engine) => engine.variant === variant && engine.version === version);
  if (installed) {
    const source = { kind: 'managed', variant, program: installed.program, installed: true } as const;
    return { source, version, reason: say('plan.engine-installed', { id: installed.id }), needsBytecodeElsewhere: false };
  }
  const fits = usable?.asked === 'path' && usable.variant === variant && toPublicVersion(usable.version ?? '') === version;
  if (usable && fits) {
    const source = { kind: 'executable', program: usable.path } as const;
    return { source, version, reason: say('plan.engine-path', { version }), needsBytecodeElsewhere: !usable.writable };
  }
  const id = toEngineId(variant, version);
  const source = {
    kind: 'managed',
    variant,
    program: join(toEnginesDirectory(places), id, 'venv', 'bin', 'vllm'),
    installed: false,
  } as const;
  return { source, version, reason: say('plan.engine-install', { id }), needsBytecodeElsewhere: false };
}

/** An image that says another version is refused by who fetches it: the settings were checked against this one. */
function chooseImage({ engine: { version, image: named } }: Profile, { docker }: Facts): EngineDecision {
  const source = { kind: 'image', reference: docker?.reference ?? named ?? '', present: docker?.image?.present === true } as const;
  const reason = say(named === undefined ? 'plan.engine-image' : 'plan.engine-image-named', { version });
  return { source, version, reason, needsBytecodeElsewhere: true };
}
