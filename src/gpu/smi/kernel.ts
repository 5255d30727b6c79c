/** What the driver says without nvidia-smi: /proc/driver/nvidia/version and its lines in the kernel's log. */

export interface DriverVersion {
  readonly driverVersion?: string;
  readonly openKernelModule?: boolean;
}

/** Also of the line that the module logs when it is loaded. */
export function parseDriverVersion(text: string): DriverVersion {
  const found =
    /NVRM(?: version|: loading)[: ]\s*NVIDIA UNIX (Open )?(?:\S+ )?Kernel Module(?: for \S+)?\s+(\d{3}\.\d+(?:\.\d+)?)(?=\s)/.exec(
      `${text}\n`,
    );
  const [, open, driverVersion] = found ?? [];
  return driverVersion === undefined ? {} : { driverVersion, openKernelModule: open !== undefined };
}
