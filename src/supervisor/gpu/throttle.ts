/** Whether GPUs lower their clocks because they cannot keep up: too hot, or too little power. Pure. */
import type { Gpu } from '../../gpu/gpu.ts';

/** A cap on power and idling are how a GPU works; `hw_slowdown` is the sum of the others. What names its cause comes first. */
const reasons: Readonly<Record<string, 'throttle-heat' | 'throttle-power' | 'throttle'>> = {
  hw_thermal_slowdown: 'throttle-heat',
  sw_thermal_slowdown: 'throttle-heat',
  hw_power_brake_slowdown: 'throttle-power',
  hw_slowdown: 'throttle',
};

/** Undefined: none of these GPUs does, or they do not say. */
export function chooseThrottle(gpus: readonly Gpu[], names: readonly string[]): string | undefined {
  const own = gpus.filter(({ uuid, index }) => names.includes(uuid ?? '') || names.includes(String(index)));
  const active = own.flatMap(({ throttleReasons = [] }) => throttleReasons);
  return Object.entries(reasons).find(([name]) => active.includes(name))?.[1];
}
