/** The one door to a Docker engine (the only dockerode). */

/** What a Docker engine says of itself, or why it says nothing. */
export type DockerObservation =
  | { readonly is: 'absent'; readonly socket: string }
  | { readonly is: 'forbidden' | 'silent'; readonly socket: string; readonly problem: string }
  | {
      readonly is: 'present';
      readonly socket: string;
      readonly version: string;
      readonly apiVersion: string;
      readonly apiVersionMin?: string;
      readonly operatingSystem?: string;
      /** `systemd` or `cgroupfs`. */
      readonly cgroupDriver?: string;
      readonly cgroupVersion?: string;
      /** Names of registered OCI runtimes; `nvidia` among them. */
      readonly runtimes: readonly string[];
      /** CDI devices that the engine found (`nvidia.com/gpu=all`); absent for engines that do not tell. */
      readonly cdiDevices?: readonly string[];
      readonly cdiSpecDirectories?: readonly string[];
      readonly addressPools?: readonly { readonly base: string; readonly size: number }[];
      readonly storageDriver?: string;
      readonly rootDirectory?: string;
      readonly rootless?: boolean;
      readonly warnings?: readonly string[];
    };
