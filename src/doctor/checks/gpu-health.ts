/** Whether the GPUs are well: what their sensors and counters say. */
import { say } from '../../core/message.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { toParallel } from '../../profile/parallel.ts';
import type { Check, CheckOutcome } from '../check.ts';
import { collect, type GpuView, skip, toGpuName, toIndexArgument, toIndexes, withGpus } from '../gpu-view.ts';
import { gpuLimitMs, needsGpu } from './gpu.ts';
import { checkXid } from './gpu-xid.ts';

export const gpuHealthChecks: readonly Check[] = [
  { id: 'gpu.recovery', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeRecovery) },
  { id: 'gpu.xid', group: 'gpu', limitMs: gpuLimitMs, run: checkXid },
  { id: 'gpu.ecc', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeEcc) },
  { id: 'gpu.throttling', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeThrottling) },
  { id: 'gpu.temperature', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgeTemperature) },
  { id: 'gpu.fabric', group: 'gpu', limitMs: gpuLimitMs, isNeeded: needsGpu, run: (context) => withGpus(context, judgeFabric) },
  { id: 'gpu.pcie', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgePcie) },
  { id: 'gpu.persistence', group: 'gpu', limitMs: gpuLimitMs, run: (context) => withGpus(context, judgePersistence) },
];

/** The driver's own word on what has to be done before it works again. */
function judgeRecovery({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ recoveryAction }) => recoveryAction);
  if (known.length === 0) return skip();
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: gpu_recovery_action ${value}`);
  const [ill] = known.filter(({ value }) => value !== 'None');
  if (ill === undefined) return { status: 'pass', message: say('doctor.gpu.recovery-none') };
  const message = say('doctor.gpu.recovery', { gpu: toGpuName(ill.gpu), action: ill.value });
  const boots = /reboot/i.test(ill.value);
  const resets = /reset/i.test(ill.value);
  const command = boots ? 'sudo reboot' : resets ? `sudo nvidia-smi --gpu-reset -i ${ill.gpu.index}` : undefined;
  const hint = say(boots ? 'doctor.gpu.recovery.reboot' : 'doctor.gpu.recovery.reset');
  return { status: 'fail', message, hint, evidence, ...(command ? { fix: { is: 'command', command } } : {}) };
}

interface Damage {
  readonly grave: readonly string[];
  readonly slight: readonly string[];
}

/** Field names of nvidia-smi, because that is what its manual and a vendor's support go by. */
function toDamage({ eccErrors, retiredPages, remappedRows }: Gpu): Damage | undefined {
  if (eccErrors === undefined && retiredPages === undefined && remappedRows === undefined) return undefined;
  const count = (name: string, value: number | undefined) => (value !== undefined && value > 0 ? [`${name} ${value}`] : []);
  const flag = (name: string, value: boolean | undefined) => (value === true ? [name] : []);
  return {
    grave: [
      ...flag('remapped_rows.failure', remappedRows?.failure),
      ...count('ecc.errors.uncorrected.volatile', eccErrors?.uncorrectedVolatile),
    ],
    slight: [
      ...flag('remapped_rows.pending', remappedRows?.pending),
      ...flag('retired_pages.pending', retiredPages?.pending),
      ...count('remapped_rows.uncorrectable', remappedRows?.uncorrectable),
      ...count('retired_pages.double_bit', retiredPages?.doubleBit),
    ],
  };
}

function judgeEcc({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, toDamage);
  if (known.length === 0)
    return gpus.some(({ ecc }) => ecc === false) ? { status: 'pass', message: say('doctor.gpu.ecc-off') } : skip(say('doctor.gpu.no-ecc'));
  const toEvidence = (pick: keyof Damage) => known.flatMap(({ gpu, value }) => value[pick].map((text) => `GPU ${gpu.index}: ${text}`));
  const [grave, slight] = [toEvidence('grave'), toEvidence('slight')];
  const evidence = [...grave, ...slight];
  if (grave[0])
    return { status: 'fail', message: say('doctor.gpu.ecc-grave', { what: grave[0] }), hint: say('doctor.gpu.ecc-grave.hint'), evidence };
  if (slight[0])
    return {
      status: 'warn',
      message: say('doctor.gpu.ecc-slight', { what: slight[0] }),
      hint: say('doctor.gpu.ecc-slight.hint'),
      evidence,
    };
  return { status: 'pass', message: say('doctor.gpu.ecc-clean') };
}

/** Power caps and idling are how a GPU works; these say that it cannot keep up. */
const illReasons: Readonly<Record<string, 'heat' | 'power' | 'hardware'>> = {
  hw_slowdown: 'hardware',
  hw_thermal_slowdown: 'heat',
  sw_thermal_slowdown: 'heat',
  hw_power_brake_slowdown: 'power',
};

function judgeThrottling({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ throttleReasons }) => throttleReasons);
  if (known.length === 0) return skip();
  const ill = known.flatMap(({ gpu, value }) =>
    value.filter((reason) => Object.hasOwn(illReasons, reason)).map((reason) => ({ gpu, reason })),
  );
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: ${value.length === 0 ? 'none' : value.join(', ')}`);
  // hw_slowdown is the sum of the others: what names the cause comes first.
  const [worst] = ill.toSorted((a, b) => Number(a.reason === 'hw_slowdown') - Number(b.reason === 'hw_slowdown'));
  if (worst === undefined) return { status: 'pass', message: say('doctor.gpu.full-speed'), evidence };
  const cause = illReasons[worst.reason] ?? 'hardware';
  const message = say('doctor.gpu.throttled', { gpu: toGpuName(worst.gpu), reason: worst.reason });
  return { status: 'warn', message, hint: say(`doctor.gpu.throttled.${cause}`), evidence };
}

/** Above it clocks go down on most cards sooner or later; below it a GPU at work is well. */
const hotC = 87;

function judgeTemperature({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ temperatureC }) => temperatureC).toSorted((a, b) => b.value - a.value);
  const [hottest] = known;
  if (hottest === undefined) return skip();
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: temperature.gpu ${value}`);
  const words = { gpu: toGpuName(hottest.gpu), celsius: hottest.value };
  if (hottest.value < hotC) return { status: 'pass', message: say('doctor.gpu.cool', words), evidence };
  return { status: 'warn', message: say('doctor.gpu.hot', words), hint: say('doctor.gpu.throttled.heat'), evidence };
}

/** On machines with NVSwitch; elsewhere the driver has nothing to say. Without it every CUDA call ends with error 802. */
function judgeFabric({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ fabricState }) => fabricState);
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: fabric.state ${value}`);
  if (known.length === 0) return skip(say('doctor.gpu.no-fabric'));
  const [open] = known.filter(({ value }) => value !== 'Completed' && value !== 'Not Supported');
  if (open === undefined) return { status: 'pass', message: say('doctor.gpu.fabric-done') };
  const fix = { is: 'command', command: 'sudo systemctl restart nvidia-fabricmanager' } as const;
  const message = say('doctor.gpu.fabric', { gpu: toGpuName(open.gpu), state: open.value });
  return { status: 'fail', message, hint: say('doctor.gpu.fabric.hint'), evidence, fix };
}

/** Only the width: the generation drops while a GPU idles, and comes back. */
function judgePcie({ gpus, subject }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ pcie }) =>
    pcie?.width === undefined || pcie.widthMax === undefined ? undefined : { width: pcie.width, most: pcie.widthMax },
  );
  if (known.length === 0) return skip();
  const evidence = known.map(({ gpu, value }) => `GPU ${gpu.index}: pcie.link.width ${value.width} of ${value.most}`);
  const [narrow] = known.filter(({ value }) => value.width < value.most).toSorted((a, b) => a.value.width - b.value.width);
  if (narrow === undefined)
    return { status: 'pass', message: say('doctor.gpu.pcie-full', { width: known[0]?.value.width ?? 0 }), evidence };
  const words = { gpu: toGpuName(narrow.gpu), width: narrow.value.width, most: narrow.value.most };
  const together = subject !== undefined && toParallel(subject.profile).gpus > 1;
  return {
    status: 'warn',
    message: say('doctor.gpu.pcie', words),
    hint: say(together ? 'doctor.gpu.pcie.together' : 'doctor.gpu.pcie.alone'),
    evidence,
  };
}

/** Never worse than a second or two at each start, so never a warning. */
function judgePersistence({ gpus }: GpuView): CheckOutcome {
  const known = collect(gpus, ({ persistence }) => persistence);
  if (known.length === 0) return skip();
  const off = known.filter(({ value }) => !value).map(({ gpu }) => gpu);
  if (off.length === 0) return { status: 'pass', message: say('doctor.gpu.persistent') };
  const fix = { is: 'command', command: `sudo nvidia-smi -i ${toIndexArgument(off)} -pm 1` } as const;
  return { status: 'pass', message: say('doctor.gpu.not-persistent', { gpus: toIndexes(off) }), fix };
}
