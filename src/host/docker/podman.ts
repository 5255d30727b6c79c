/** Where Podman's way of speaking Docker's language is another one. Found with Podman 4.3. */
import type { Container, CreateBody } from './docker.ts';
import type { Answer } from './door.ts';
import { toList, toText } from './fields.ts';

/** `version`: what it answers to that question. */
export function isPodman(version: unknown): boolean {
  return (toList(version, 'Components') ?? []).some((component) => toText(component, 'Name') === 'Podman Engine');
}

/** It knows no driver `local`, and refuses what it does not know. Its own keeps one file, which begins anew at its cap. */
export function toPodmanBody(body: CreateBody): CreateBody {
  const { Type: type, Config: config } = body.HostConfig.LogConfig;
  if (type !== 'local') return body;
  const { 'max-size': size } = config;
  const LogConfig = { Type: 'k8s-file', Config: size === undefined ? {} : { 'max-size': size } };
  return { ...body, HostConfig: { ...body.HostConfig, LogConfig } };
}

export function hasDevices(container: Container | undefined): boolean {
  return ['DeviceRequests', 'Devices'].some((key) => (toList(container?.hostConfig, key) ?? []).length > 0);
}

/** What cannot be done to a container as it is. Docker has a status for that, Podman only words. */
export function isBadMoment({ status, problem }: Answer): boolean {
  return status === 409 || (status === 500 && /container state improper/.test(problem));
}

const actions: Readonly<Record<string, string>> = { died: 'die', remove: 'destroy' };

export function toDockerAction(action: string): string {
  return actions[action] ?? action;
}

/** As Docker gives it back. Podman writes out the registry that is meant where a name has none. */
export function toFamiliarName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, '');
}
