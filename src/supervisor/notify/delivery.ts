/** One notification on its way: by a command, or by a webhook with further tries. */
import { type Clock, waitFor } from '../../core/clock.ts';
import { toPublicEvent } from '../../core/diagnosis-document.ts';
import type { DeploymentEvent } from '../../core/event.ts';
import { type Message, say } from '../../core/message.ts';
import { createRedactor } from '../../core/redact.ts';
import { toEngineEnvironment } from '../../host/environment.ts';
import { runHook } from '../../host/hook.ts';
import { postWebhook, type WebhookAnswer } from '../../host/webhook.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Notification, NotifyOn, SecretRef } from '../../profile/profile.ts';
import type { LifeState } from '../deployment.ts';
import { readSecret, toProblem } from '../launch/work.ts';

export interface Delivery {
  readonly notification: Notification;
  readonly name: NotifyOn;
  readonly event: DeploymentEvent;
  readonly deployment: string;
  readonly state: LifeState;
  readonly cause: string;
  /** In a sentence. */
  readonly summary: string;
  /** Whose secrets must not be told. */
  readonly spec: LaunchSpec;
}

export interface DeliveryOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly secrets: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly toText: (message: Message) => string;
}

type ByCommand = Extract<Notification, { readonly command: readonly string[] }>;
type ByWebhook = Extract<Notification, { readonly webhook: string }>;

/** Undefined when it arrived; otherwise what went wrong, without any secret in it. */
export async function deliver(delivery: Delivery, options: DeliveryOptions): Promise<string | Message | undefined> {
  const { notification } = delivery;
  const redact = createRedactor({ secrets: await readHidden(delivery.spec, options), home: '', hostname: '' });
  const body = JSON.stringify(redactAll(toDocument(delivery, options), redact));
  if ('command' in notification) return runCommand(notification, { ...options, delivery, body, redact });
  return post(notification, { ...options, body, redact });
}

/** Whom a notification goes to, without what may be a secret of an address. */
export function toTarget(notification: Notification): string {
  if ('command' in notification) return notification.command[0] ?? '';
  return isReference(notification.webhook) ? notification.webhook : new URL(notification.webhook).host;
}

function toDocument({ name, event, state, cause, summary }: Delivery, { toText }: DeliveryOptions): object {
  return {
    kind: 'Event',
    version: 1,
    ...toPublicEvent(event, toText),
    transition: name,
    state,
    ...(cause === '' ? {} : { cause }),
    summary,
  };
}

/** Values that may stand in what the engine said last, and are nobody's business outside. */
async function readHidden({ secretEnv }: LaunchSpec, { secrets, env }: DeliveryOptions): Promise<readonly string[]> {
  const own = Object.values(secretEnv).map((ref) => readSecret(ref, secrets, { trusting: true }).catch(() => ''));
  return [...Object.values(secrets), env.HF_TOKEN ?? '', ...(await Promise.all(own))];
}

function redactAll(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactAll(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactAll(inner, redact)]));
}

interface Sending extends DeliveryOptions {
  readonly body: string;
  readonly redact: (text: string) => string;
}

/** What a program that shows something on a desktop needs besides. */
const session = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'WAYLAND_DISPLAY'] as const;

async function runCommand(
  { command, timeoutMs }: ByCommand,
  { delivery, body, redact, env, signal }: Sending & { readonly delivery: Delivery },
): Promise<string | Message | undefined> {
  const { deployment, name: event, state, cause } = delivery;
  const facts = { deployment, event, state, cause: redact(cause) };
  const { HF_TOKEN: _, ...inherited } = toEngineEnvironment(env);
  const shown = session.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const told = Object.entries(facts).map(([name, value]) => [`QWEN_DEPLOY_${name.toUpperCase()}`, value] as const);
  const result = await runHook(
    command.map((word) => fill(word, facts)),
    { env: { ...inherited, ...Object.fromEntries([...shown, ...told]) }, input: `${body}\n`, timeoutMs, signal },
  );
  if (result.code === 0) return undefined;
  const line = result.line === undefined ? '' : `: ${redact(result.line).slice(0, 200)}`;
  if (result.code !== undefined) return say('life.notify.exit', { code: result.code, line });
  return result.problem === 'EABORT' ? say('life.notify.cut') : `${result.problem}${line}`;
}

/** Braces with anything else in them are the person's own. */
function fill(word: string, facts: Readonly<Record<string, string>>): string {
  return word.replace(/\{(deployment|event|state|cause)\}/g, (whole, name: string) => facts[name] ?? whole);
}

/** Pauses before the second try and the third. */
const pausesMs = [1000, 5000];

async function post({ webhook, headers, timeoutMs }: ByWebhook, options: Sending): Promise<string | Message | undefined> {
  const { signal, clock, body, redact } = options;
  let address: string;
  let sent: Readonly<Record<string, string>>;
  try {
    // Read anew each time: a file may have been changed since.
    address = await readValue(webhook, options);
    sent = await readHeaders(headers, options);
  } catch (error) {
    return toProblem(error);
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return say('life.notify.bad-address');
  for (let tries = 0; ; tries += 1) {
    const answer = await postWebhook(url, { headers: sent, body, timeoutMs, signal });
    if (answer.is === 'answered' && answer.status >= 200 && answer.status < 300) return undefined;
    if (answer.is === 'refused') return answer.why;
    const pauseMs = isPassing(answer) ? pausesMs[tries] : undefined;
    if (pauseMs !== undefined) await waitFor(pauseMs, signal, clock);
    if (signal.aborted) return say('life.notify.cut');
    if (pauseMs !== undefined) continue;
    if (answer.is === 'answered') return say('life.notify.http', { status: answer.status });
    // What cannot be sent at all is repeated by some errors.
    const hide = createRedactor({ secrets: [address, ...Object.values(sent)], home: '', hostname: '' });
    return redact(hide(answer.problem));
  }
}

/** Busy or not there, which may be over in a moment; everything else is the same each time. */
function isPassing(answer: Exclude<WebhookAnswer, { readonly is: 'refused' }>): boolean {
  if (answer.is === 'answered') return answer.status >= 500 || answer.status === 429 || answer.status === 408;
  return /^E[A-Z]+$/.test(answer.problem);
}

async function readHeaders(headers: ByWebhook['headers'], options: DeliveryOptions): Promise<Readonly<Record<string, string>>> {
  const read = Object.entries(headers).map(async ([name, value]) => [name, await readValue(value, options)] as const);
  return Object.fromEntries(await Promise.all(read));
}

async function readValue(text: string, { secrets }: DeliveryOptions): Promise<string> {
  return isReference(text) ? readSecret(text, secrets) : text;
}

function isReference(text: string): text is SecretRef {
  return /^(env|file):/.test(text);
}
