/** Bad habits that show in the log. */
import { type LogEntry, toApiEntry } from '../../src/runtime/simulator/log.ts';
import type { Life } from './api-server.ts';

/** Lines without end, in portions ten times a second, from the first line on; follows the switch while it runs. */
export function startFlood(life: Life): void {
  let number = 0;
  setInterval(() => {
    const lines = Math.ceil(life.box.faults.floodPerSecond / 10);
    for (let line = 0; line < lines; line += 1) {
      number += 1;
      life.print(toApiEntry('flood.py:1', `flood ${number} ${'x'.repeat(80)}`));
    }
  }, 100).unref();
}

/** Keys that a careless log line would give away. */
export function toSecretLines(life: Life): readonly LogEntry[] {
  if (!life.box.faults.printSecrets) return [];
  const secrets = [...life.options.apiKeys, process.env['HF_TOKEN'] ?? ''].filter((secret) => secret !== '');
  return secrets.map((secret) => toApiEntry('api_utils.py:286', `using key ${secret}`));
}
