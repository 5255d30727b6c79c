/** What has to be fetched from elsewhere. With `--offline` nobody is asked. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { say } from '../../core/message.ts';
import { checkInstallable } from '../../engine/installable.ts';
import { readSources } from '../../engine/sources.ts';
import { errnoOf, readTextFile } from '../../host/files.ts';
import { askHub, isProxied } from '../../host/hub.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { isToDownload, isToInstall } from '../engine-need.ts';
import { frontChecks } from './front.ts';

const group = 'network';
const limitMs = 3000;
/** A check that is over time is only "unknown", so what it asks has to give up before. */
const askLimitMs = limitMs - 200;

export const networkChecks: readonly Check[] = [
  ...frontChecks,
  { id: 'network.hub', group, limitMs, isNeeded: isToDownload, run: checkHub },
  { id: 'network.token', group, run: checkToken },
  { id: 'network.index', group, limitMs, isNeeded: isToInstall, run: checkIndex },
];

function toLimit({ signal }: DoctorContext): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(askLimitMs)]);
}

/** What the profile says for its engine counts: that is who will ask. */
function toEngineVariables({ env, subject }: DoctorContext): NodeJS.ProcessEnv {
  return { ...env, ...subject?.profile.engine.env };
}

async function checkHub(context: DoctorContext): Promise<CheckOutcome> {
  const { subject, offline } = context;
  if (subject === undefined) return { status: 'skip', message: say('doctor.network.no-profile') };
  if (!isToDownload(subject)) return { status: 'skip', message: say('doctor.hub.unneeded') };
  const env = toEngineVariables(context);
  const { id } = subject.profile.model;
  if (env.HF_HUB_OFFLINE === '1') {
    return { status: 'fail', message: say('doctor.hub.switched-off', { id }), hint: say('doctor.hub.switched-off.hint') };
  }
  if (offline) return { status: 'skip', message: say('doctor.network.offline') };
  if (env.VLLM_USE_MODELSCOPE === '1' || env.VLLM_USE_MODELSCOPE?.toLowerCase() === 'true') {
    return { status: 'skip', message: say('doctor.hub.other') };
  }
  const { token } = await readToken(env);
  const answer = await askHub(id, env, { signal: toLimit(context), ...(token ? { token } : {}) });
  const { endpoint } = answer;
  if (answer.is === 'answered')
    return { ...judgeStatus(answer.status, { id, endpoint }), evidence: [`HEAD ${endpoint}/${id}: ${answer.status}`] };
  const evidence = [`${endpoint}: ${answer.problem}`];
  // Node goes past proxies; the engine does not.
  if (isProxied(env)) return { status: 'skip', message: say('doctor.hub.proxied', { endpoint }), evidence };
  const message = say('doctor.hub.silent', { endpoint, problem: answer.problem });
  return { status: 'fail', message, hint: say('doctor.hub.silent.hint'), evidence };
}

function judgeStatus(status: number, words: { readonly id: string; readonly endpoint: string }): CheckOutcome {
  if (status < 400) return { status: 'pass', message: say('doctor.hub', words) };
  if (status === 401 || status === 403)
    return { status: 'fail', message: say('doctor.hub.private', { ...words, status }), hint: say('doctor.hub.private.hint') };
  if (status === 404) return { status: 'fail', message: say('doctor.hub.unknown', words), hint: say('doctor.hub.unknown.hint') };
  return { status: 'fail', message: say('doctor.hub.refused', { ...words, status }), hint: say('doctor.hub.refused.hint') };
}

interface FoundToken {
  readonly token?: string;
  /** A variable or a file. */
  readonly where: string;
  readonly problem?: string;
}

/** Where huggingface_hub looks, in its order. A variable of a profile may refer to another one, or to a file. */
async function readToken(env: NodeJS.ProcessEnv): Promise<FoundToken> {
  const given = env.HF_TOKEN;
  if (given?.startsWith('file:')) return readTokenFile(given.slice('file:'.length));
  const named = given?.startsWith('env:') ? given.slice('env:'.length) : 'HF_TOKEN';
  if (env[named]) return { token: env[named], where: named };
  if (named !== 'HF_TOKEN') return { where: named, problem: 'ENOENT' };
  return readTokenFile(env.HF_TOKEN_PATH || join(env.HF_HOME || join(toCacheDirectory(env), 'huggingface'), 'token'));
}

function toCacheDirectory(env: NodeJS.ProcessEnv): string {
  return env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
}

async function readTokenFile(where: string): Promise<FoundToken> {
  try {
    const text = await readTextFile(where);
    return text === undefined ? { where } : { token: text.trim(), where };
  } catch (error) {
    const problem = errnoOf(error);
    if (problem === undefined) throw error;
    return { where, problem };
  }
}

async function checkToken(context: DoctorContext): Promise<CheckOutcome> {
  const env = toEngineVariables(context);
  const { token, where, problem } = await readToken(env);
  if (problem !== undefined) {
    return { status: 'warn', message: say('doctor.token.unreadable', { where, problem }), hint: say('doctor.token.unreadable.hint') };
  }
  if (token === undefined) {
    if (!env.HUGGING_FACE_HUB_TOKEN) return { status: 'skip', message: say('doctor.token.none') };
    return { status: 'warn', message: say('doctor.token.old'), hint: say('doctor.token.old.hint') };
  }
  if (token === '' || /\s/.test(token)) {
    return { status: 'warn', message: say('doctor.token.odd', { where }), hint: say('doctor.token.odd.hint') };
  }
  if (!where.startsWith('/') || !(await isReadByOthers(where))) return { status: 'pass', message: say('doctor.token', { where }) };
  const fix = { is: 'command', command: `chmod 600 ${where}` } as const;
  return { status: 'warn', message: say('doctor.token.open', { where }), hint: say('doctor.token.open.hint'), fix };
}

/** Readable itself, with no directory above it that keeps them out: a home often does. */
async function isReadByOthers(path: string): Promise<boolean> {
  if (((await stat(path)).mode & 0o004) === 0) return false;
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) === 0) return false;
    if (directory === '/') return true;
  }
}

async function checkIndex(context: DoctorContext): Promise<CheckOutcome> {
  const { subject, offline, places, env, pythons } = context;
  if (subject === undefined) return { status: 'skip', message: say('doctor.network.no-profile') };
  if (!isToInstall(subject)) return { status: 'skip', message: say('doctor.index.unneeded') };
  if (offline) return { status: 'skip', message: say('doctor.network.offline') };
  const { variant, version } = subject.profile.engine;
  const limit = toLimit(context);
  const [answer, { names }] = await Promise.all([
    checkInstallable(variant, version, { places, env, pythons, signal: limit }),
    readSources(env),
  ]);
  const source = names.join(', ');
  // An installer that was ended looks like one that found nothing, or like none at all.
  if (limit.aborted) return { status: 'skip', message: say('doctor.index.slow', { source }) };
  const isAsked = answer.ok ? answer.unasked !== true : answer.error.code === 'engine/no-index';
  if (!isAsked) return { status: 'skip', message: say('doctor.index.unasked') };
  if (answer.ok) return { status: 'pass', message: say('doctor.index', { version, source }) };
  const { problem = '-' } = answer.error.params;
  return { status: 'fail', message: say('doctor.index.none', { version, source }), hint: say('doctor.index.none.hint', { problem }) };
}
