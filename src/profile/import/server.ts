/** Where it is reached → `server`: by vLLM's own flags, or by what a container publishes. */
import { say } from '../../core/message.ts';
import type { SettingValue } from '../profile.ts';
import { drop, find, type Launch, type Notes } from './launch.ts';
import type { Tree } from './place.ts';

export interface ServerOptions {
  readonly launch: Launch;
  readonly host: SettingValue | undefined;
  readonly port: SettingValue | undefined;
  /** Already a reference. */
  readonly key: SettingValue | undefined;
  readonly given: ReadonlyMap<string, unknown>;
  readonly notes: Notes;
}

export function toServer(options: ServerOptions): Tree | undefined {
  const { host, port } = options.launch.container && !options.launch.container.hostNetwork ? toPublished(options) : toOwn(options);
  const key = options.key ?? options.given.get('server.api-key');
  const entries = Object.entries({ host, port, 'api-key': key }).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

type Address = Pick<ServerOptions, 'host' | 'port'>;

function toOwn({ host, port, notes, launch }: ServerOptions): Address {
  if (host === undefined && launch.kind !== 'config')
    find(notes, undefined, { code: 'profile/import-host', severity: 'info', path: 'server.host', message: say('import.host') });
  return { host, port };
}

/** Inside of a container vLLM listens on every address; what can be reached is what is published. */
function toPublished({ launch: { container }, host, port, notes }: ServerOptions): Address {
  const inside = typeof port === 'number' ? port : 8000;
  const ports = container?.ports ?? [];
  const published = ports.find((one) => one.inside === inside) ?? ports.find(({ word }) => word.open !== undefined);
  for (const { word } of ports) if (word !== published?.word) drop(notes, word.text, say('import.why.other-port', { port: inside }));
  if (host !== undefined) drop(notes, `--host ${String(host)}`, say('import.why.inside'));
  if (published === undefined) return { host: undefined, port };
  if (published.word.open !== undefined) {
    const message = say('import.variable', { name: 'server.port', variable: published.word.open });
    const hint = say('import.hint.variable');
    find(notes, published.word, { code: 'profile/import-variable', severity: 'error', path: 'server.port', message, hint });
    return { host: undefined, port: undefined };
  }
  if (port !== undefined && port !== published.port) drop(notes, `--port ${String(port)}`, say('import.why.inside'));
  return { host: published.host ?? '0.0.0.0', port: published.port };
}
