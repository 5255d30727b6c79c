/** One case: the real vLLM is started with its wrong setting, and what is said of its end is compared with its cause. */
import type { Diagnosis } from '../../../src/core/finding.ts';
import type { Deployment } from '../../../src/supervisor/deployment.ts';
import type { CliResult } from '../../../test/scenarios/sandbox.ts';
import type { Case } from './cases.ts';
import type { Change, Cure } from './cures.ts';
import { listLogs, type Scene, type Stage, setScene } from './stage.ts';

/** Of `captures.json`. */
export interface Expected {
  readonly cause: string;
  readonly alsoOk: readonly string[];
  /** Whether its log tells; else only who saw it end knows. */
  readonly fromLog: boolean;
}

export interface Played {
  readonly name: string;
  readonly ms: number;
  /** In a line: the cause as `up` says it, or what was changed. */
  readonly found: string;
  /** Nothing is what there must be. */
  readonly problems: readonly string[];
}

/** `then`: with what failed still there. */
export async function playCase(
  stage: Stage,
  one: Case,
  { expected, then }: { readonly expected: Expected; readonly then?: (scene: Scene) => Promise<readonly string[]> },
): Promise<Played> {
  const startedAt = performance.now();
  const refusal = one.unsayable ? await checkRefusal(stage, one, one.unsayable) : [];
  const scene = await setScene(stage, one);
  try {
    const up = await startScene(stage, scene, '--skip-preflight');
    const { diagnosis } = up.json<{ diagnosis?: Diagnosis }>();
    const cause = diagnosis?.cause ?? `exit ${up.code}`;
    const fromLog = expected.fromLog ? { 'explain --log': await readLogCause(stage, scene) } : {};
    const answers = { up: cause, status: await readStatusCause(stage, scene), ...fromLog };
    const right = [expected.cause, ...expected.alsoOk];
    const wrong = Object.entries(answers).filter(([, said]) => !right.includes(said));
    return {
      name: one.name,
      ms: performance.now() - startedAt,
      found: cause,
      problems: [
        ...refusal,
        ...(up.code === 5 ? [] : [`up: exit ${up.code}: ${toEnd(up)}`]),
        ...wrong.map(([command, said]) => `${command} says ${said}, not ${right.join(' or ')}`),
        ...((diagnosis?.evidence.length ?? 0) > 0 ? [] : ['no line proves it']),
        ...(then ? await then(scene) : []),
      ],
    };
  } finally {
    await stage.box.cli('down', scene.name, '--force');
    await scene.end();
  }
}

function startScene({ box }: Stage, { file, port }: Scene, ...options: string[]): Promise<CliResult> {
  return box.cli('up', '-p', file, '--set', `server.port=${port}`, ...options, '-o', 'json');
}

/** Of a case whose failure is known by now: `up --fix` need not meet it again. */
export async function mendCase(stage: Stage, scene: Scene, change: Change): Promise<readonly string[]> {
  const up = await startScene(stage, scene, '--skip-preflight', '--fix');
  return up.code === 0 ? checkCured(stage, up.json<Deployment>(), change) : [`up --fix: exit ${up.code}: ${toEnd(up)}`];
}

/** A start that fails, the change, and a start that answers: in one command. */
export async function playCure(stage: Stage, cure: Cure): Promise<Played> {
  const startedAt = performance.now();
  const scene = await setScene(stage, cure);
  try {
    const up = await startScene(stage, scene, ...(cure.ladder ? [] : ['--skip-preflight', '--fix']));
    const problems = up.code === 0 ? await checkCured(stage, up.json<Deployment>(), cure) : [`up: exit ${up.code}: ${toEnd(up)}`];
    const { running = [] } = up.code === 0 ? up.json<Deployment>() : {};
    const found = running.map(({ path, from, to }) => `${path} ${from ?? '(unset)'} → ${to ?? '(unset)'}`).join(', ');
    return { name: cure.name, ms: performance.now() - startedAt, found, problems };
  } finally {
    await stage.box.cli('down', scene.name, '--force');
    await scene.end();
  }
}

/** Ready, otherwise than it was asked for, for the reason, and it answers. */
async function checkCured(stage: Stage, deployed: Deployment, { because, changed }: Change): Promise<readonly string[]> {
  const { state, run, running = [], endpoint } = deployed;
  const missing = changed.filter((path) => !running.some((one) => one.path === path && one.because === because));
  const { lastExit } = (await stage.box.cli('status', deployed.name, '-o', 'json')).json<Deployment>();
  const seen = lastExit?.diagnosis?.cause;
  return [
    ...(state === 'ready' ? [] : [`it is ${state}`]),
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} not changed because of ${because}: ${JSON.stringify(running)}`]),
    ...(run === 2 ? [] : [`ready at start ${run}, not at the second`]),
    ...(seen === because ? [] : [`status says that it had ended for ${seen}`]),
    ...(await checkAnswer(endpoint)),
  ];
}

async function checkAnswer(endpoint: string): Promise<readonly string[]> {
  const reply = await fetch(`${endpoint}/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 4, ignore_eos: true }),
  });
  const text = await reply.text();
  const tokens = reply.status === 200 ? JSON.parse(text).usage?.completion_tokens : 0;
  return tokens === 4 ? [] : [`a completion was answered with ${reply.status}: ${text.slice(0, 200)}`];
}

/** What a profile cannot say is refused also from who wants no checks. */
async function checkRefusal(stage: Stage, one: Case, { profile, code, path }: NonNullable<Case['unsayable']>): Promise<readonly string[]> {
  const scene = await setScene(stage, one, profile);
  await scene.end();
  const up = await stage.box.cli('up', '-p', scene.file, '--skip-preflight', '-o', 'json');
  const { findings = [] } = up.json<{ findings?: readonly { readonly code: string; readonly path?: string }[] }>();
  const isRefused = up.code === 3 && findings.some((finding) => finding.code === code && finding.path === path);
  return isRefused ? [] : [`${profile} is not refused with ${code}: exit ${up.code}`];
}

function toEnd({ stderr, stdout }: CliResult): string {
  return `${stderr}${stdout}`.slice(-400);
}

async function readStatusCause({ box }: Stage, { name }: Scene): Promise<string> {
  const { lastExit, state } = (await box.cli('status', name, '-o', 'json')).json<Deployment>();
  return lastExit?.diagnosis?.cause ?? `nothing, in state ${state}`;
}

async function readLogCause(stage: Stage, scene: Scene): Promise<string> {
  const [last] = (await listLogs(stage, scene)).slice(-1);
  const said = await stage.box.cli('explain', '--log', last ?? '', '-o', 'json');
  return said.json<{ cause?: string }>().cause ?? `exit ${said.code}`;
}
