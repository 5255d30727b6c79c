/**
 * What a person may write: one definition, from which the type `RawProfile` comes too. Everything is optional and may
 * be null (null removes what a parent gave). `zod/mini` because it costs a thirtieth of zod at start.
 */
import * as z from 'zod/mini';
import type { MessageId } from '../core/message.ts';
import { parseBytes, parseDurationMs } from '../core/units.ts';

type Want = MessageId extends infer Id ? (Id extends `profile.want.${infer What}` ? What : never) : never;

/** Zod carries the id of the sentence that says what is expected; check.ts makes the finding of it. */
const want = (what: Want) => ({ error: `profile.want.${what}` satisfies MessageId });

const opt = <T extends z.core.SomeType>(inner: T) => z.optional(z.nullable(inner));
const text = () => opt(z.string(want('text')).check(z.minLength(1, want('text'))));
const boolean = () => opt(z.boolean(want('boolean')));
const oneOf = <const T extends readonly string[]>(values: T, what: Want) => opt(z.enum(values, want(what)));
const whole = (range: { readonly least: number; readonly most: number }, what: Want) =>
  opt(z.int(want(what)).check(z.gte(range.least, want(what)), z.lte(range.most, want(what))));
/** 24 days: beyond 24.8 a timer of Node fires at once. */
const longestMs = 24 * 86_400_000;
/** A refinement is code, so its JSON Schema is said beside it. */
const duration = () =>
  opt(
    z.string(want('duration')).check(
      z.refine((value) => parseDurationMs(value) !== undefined, want('duration')),
      z.refine((value) => (parseDurationMs(value) ?? 0) <= longestMs, want('shorter-duration')),
      z.meta({ pattern: String.raw`^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)\s*$` }),
    ),
  );
const sizePattern = String.raw`^\s*\d+(\.\d+)?\s*([KkMmGgTt][Ii]?)?[Bb]\s*$`;
const size = () =>
  opt(
    z.string(want('size')).check(
      z.refine((value) => parseBytes(value) !== undefined, want('size')),
      z.meta({ pattern: sizePattern }),
    ),
  );
/** `all`, `auto`, or a Linux CPU list such as `0-3,6`. */
const cpuList = /^(all|auto|\d+(-\d+)?(,\d+(-\d+)?)*)$/;
const words = (what: Want) => z.array(z.string(want(what)).check(z.minLength(1, want(what))), want(what));

const model = z.strictObject(
  {
    id: text(),
    source: oneOf(['hub', 'local', 'miniature'], 'source'),
    revision: text(),
    path: text(),
    tokenizer: text(),
  },
  want('model'),
);

const engine = z.strictObject(
  {
    // 0.30 without quotes is the number 0.3 to YAML.
    version: opt(z.string(want('version')).check(z.regex(/^\d+\.\d+(\.\d+)?([.+a-z]\w*)*$/, want('version')))),
    variant: oneOf(['gpu', 'cpu'], 'variant'),
    backend: oneOf(['auto', 'docker', 'process', 'simulator'], 'backend'),
    executable: text(),
    image: text(),
    mounts: opt(z.array(z.string(want('mount')).check(z.regex(/^\/[^:]*:\/[^:]*(:r[ow])?$/, want('mount'))), want('mount'))),
    env: opt(z.record(z.string(), opt(z.union([z.string(), z.int()], want('variable'))), want('map'))),
  },
  want('map'),
);

const resources = z.strictObject(
  {
    gpus: opt(
      z.union([z.enum(['auto', 'none']), z.int().check(z.gte(1)), z.array(z.union([z.string(), z.int().check(z.gte(0))]))], want('gpus')),
    ),
    cpus: opt(
      z.union([z.string(), z.int()], want('cpus')).check(
        z.refine((value) => cpuList.test(String(value)), want('cpus')),
        z.meta({ pattern: cpuList.source, minimum: 0 }),
      ),
    ),
    memory: size(),
    shm: size(),
    nice: whole({ least: -20, most: 19 }, 'nice'),
    pids: whole({ least: 64, most: 4_194_304 }, 'pids'),
    nofile: whole({ least: 1024, most: 1_073_741_816 }, 'nofile'),
  },
  want('map'),
);

const server = z.strictObject(
  {
    host: text(),
    port: whole({ least: 1, most: 65_535 }, 'port'),
    'api-key': opt(z.string(want('secret')).check(z.regex(/^(env:[A-Za-z_]\w*|file:.+)$/, want('secret')))),
  },
  want('map'),
);

const health = z.strictObject(
  {
    'start-deadline': duration(),
    'start-stall-after': duration(),
    'download-stall-after': duration(),
    'gate-timeout': duration(),
    'first-token-timeout': duration(),
    interval: duration(),
    timeout: duration(),
    chat: boolean(),
    'stall-after': duration(),
    'canary-interval': duration(),
  },
  want('map'),
);

const restart = z.strictObject(
  {
    'max-failures': whole({ least: 1, most: 1000 }, 'failures'),
    'first-delay': duration(),
    'max-delay': duration(),
    'stable-after': duration(),
  },
  want('map'),
);

const adapter = z.union(
  [
    z.string().check(z.minLength(1)),
    z.strictObject({ path: z.string(want('text')).check(z.minLength(1, want('text'))), 'base-model': text() }),
  ],
  want('adapter'),
);

const stop = z.strictObject({ drain: duration() }, want('map'));

/** Below this it would be cut all the time. */
const leastLogBytes = 64 * 1024;
const logSize = () =>
  opt(
    z.string(want('log-size')).check(
      z.refine((value) => (parseBytes(value) ?? 0) >= leastLogBytes, want('log-size')),
      z.meta({ pattern: sizePattern }),
    ),
  );
const logs = z.strictObject({ 'max-size': logSize(), keep: whole({ least: 1, most: 99 }, 'keep') }, want('map'));

const transitions = ['ready', 'failed', 'crashloop', 'degraded', 'unhealthy', 'restarted', 'stopped'] as const;

const percentPattern = /^\s*\d+(\.\d+)?\s*%\s*$/;
/** Above zero, and no more than `most`. */
const percent = (most: number, what: Want) =>
  opt(
    z.string(want(what)).check(
      z.refine((value) => percentPattern.test(value) && parseFloat(value) > 0 && parseFloat(value) <= most, want(what)),
      z.meta({ pattern: percentPattern.source }),
    ),
  );

const pressures = z.strictObject(
  {
    cpu: percent(100, 'percent'),
    'host-memory': percent(100, 'percent'),
    'gpu-memory': percent(100, 'percent'),
    'gpu-temperature': whole({ least: 30, most: 120 }, 'temperature'),
    'queue-wait': duration(),
  },
  want('map'),
);

const adapt = z.strictObject(
  {
    when: opt(pressures),
    for: duration(),
    'back-below': percent(95, 'percent-below'),
    'back-after': duration(),
    'least-stay': duration(),
    'most-steps': whole({ least: 1, most: 100 }, 'steps-a-day'),
    steps: opt(words('steps').check(z.minLength(1, want('steps')))),
  },
  want('map'),
);

/** Lists do not merge item by item, so an item has all that it needs. */
const notification = z
  .strictObject(
    {
      on: z.array(z.enum(transitions, want('transition')), want('transitions')).check(z.minLength(1, want('transitions'))),
      command: opt(words('command').check(z.minLength(1, want('command')))),
      webhook: opt(z.string(want('webhook')).check(z.regex(/^(https?:\/\/\S+|env:[A-Za-z_]\w*|file:.+)$/, want('webhook')))),
      headers: opt(z.record(z.string(), z.string(want('text')).check(z.minLength(1, want('text'))), want('map'))),
      timeout: duration(),
    },
    want('notification'),
  )
  .check(
    z.refine(
      ({ command, webhook, headers }) => (command == null) !== (webhook == null) && (headers == null || webhook != null),
      want('notification'),
    ),
  );

/** The whole of it; json-schema.ts tells it to editors. */
export const profileShape = z.strictObject(
  {
    extends: opt(z.union([z.string(), words('extends')], want('extends'))),
    description: text(),
    model: opt(z.union([z.string().check(z.minLength(1)), model], want('model'))),
    'served-names': opt(words('names').check(z.minLength(1, want('names')))),
    quantization: text(),
    engine: opt(engine),
    vllm: opt(z.record(z.string(), z.unknown(), want('map'))),
    resources: opt(resources),
    server: opt(server),
    thinking: opt(z.union([z.enum(['on', 'off', 'request']), z.boolean()], want('thinking'))),
    health: opt(health),
    restart: opt(restart),
    stop: opt(stop),
    logs: opt(logs),
    notify: opt(z.array(notification, want('list'))),
    adapt: opt(adapt),
    lora: opt(z.record(z.string(), opt(adapter), want('map'))),
    replicas: whole({ least: 1, most: 64 }, 'replicas'),
    labels: opt(z.record(z.string(), opt(z.string(want('text'))), want('map'))),
    fallback: opt(z.array(z.record(z.string(), z.unknown(), want('fallback-step')), want('list'))),
  },
  want('map'),
);

export type RawProfile = z.infer<typeof profileShape>;

export type ShapeIssue = z.core.$ZodIssue;

/** The value as a `RawProfile`, or what zod has against it. */
export function parseShape(value: unknown): { readonly raw: RawProfile } | { readonly issues: readonly ShapeIssue[] } {
  const result = profileShape.safeParse(value);
  return result.success ? { raw: result.data } : { issues: result.error.issues };
}

/** Keys that a block knows; the profile itself is the block ''. Undefined where any key may stand. */
export function toKnownKeys(block: string): readonly string[] | undefined {
  const blocks: Readonly<Record<string, { readonly shape: object }>> = {
    '': profileShape,
    model,
    engine,
    resources,
    server,
    health,
    restart,
    stop,
    logs,
    'notify.*': notification,
    adapt,
    'adapt.when': pressures,
  };
  const name = block.replace(/^notify\.\d+$/, 'notify.*');
  const found = Object.hasOwn(blocks, name) ? blocks[name] : undefined;
  return found && Object.keys(found.shape);
}
