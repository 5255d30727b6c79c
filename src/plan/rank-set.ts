/** Settings laid over a resolved profile, as `--set` would: only those that a ranking proposes. Pure. */
import type { Profile, SettingValue } from '../profile/profile.ts';

/** Undefined for a setting that cannot be laid over here. */
export function withSettings(profile: Profile, set: Readonly<Record<string, unknown>>): Profile | undefined {
  return Object.entries(set).reduce<Profile | undefined>((changed, [path, value]) => changed && withSetting(changed, path, value), profile);
}

/** As it is typed: `--set vllm.max-model-len=4096`. */
export function toSetText(set: Readonly<Record<string, unknown>>): string {
  return Object.entries(set)
    .map(([path, value]) => `--set ${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function withSetting(profile: Profile, path: string, value: unknown): Profile | undefined {
  if (path.startsWith('vllm.')) return { ...profile, vllm: withFlag(profile.vllm, path.slice('vllm.'.length), value) };
  if (path === 'quantization' && typeof value === 'string') return { ...profile, quantization: value };
  if (path === 'replicas' && typeof value === 'number') return { ...profile, replicas: value };
  if (path === 'resources.gpus' && typeof value === 'number') return { ...profile, resources: { ...profile.resources, gpus: value } };
  return undefined;
}

/** Null takes a setting away. */
function withFlag(vllm: Profile['vllm'], name: string, value: unknown): Profile['vllm'] {
  const { [name]: _, ...rest } = vllm;
  return value === null || value === undefined ? rest : { ...rest, [name]: value as SettingValue };
}
