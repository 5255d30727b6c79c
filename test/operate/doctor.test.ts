import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examine, toDoctorStatus } from '../../src/operate/doctor.ts';
import { checkBundleFile, writeBundle } from '../../src/operate/doctor-bundle.ts';
import { fixAndExamine } from '../../src/operate/doctor-fix.ts';
import { readSavedSmi } from '../../src/operate/doctor-smi.ts';
import { toText } from '../../src/text/render.ts';
import { fixtures } from '../engine/fake-machine.ts';
import { freePort } from '../scenarios/sandbox.ts';
import { createTestContext, type TestContext } from './context.ts';

/** A home of its own, with a PATH that has nothing of NVIDIA in it and a Docker socket that is not there. */
function createHome(parts: { readonly env?: NodeJS.ProcessEnv; readonly programs?: Readonly<Record<string, string>> } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const bin = join(home, 'bin');
  mkdirSync(bin);
  symlinkSync(join(fixtures, 'fake-python.sh'), join(bin, 'python3'));
  for (const [name, text] of Object.entries(parts.programs ?? {})) writeFileSync(join(bin, name), text, { mode: 0o755 });
  const env = { PATH: bin, HOME: home, QWEN_DEPLOY_HOME: join(home, 'qd'), DOCKER_HOST: `unix://${home}/none.sock`, ...parts.env };
  return { home, context: createTestContext(home, { env }) };
}

const plain = { sets: [], offline: true } as const;

function writeProfile(home: string, text: string): string {
  const file = join(home, 'mine.yaml');
  writeFileSync(file, text);
  return file;
}

describe('without a GPU and without Docker', () => {
  test('says exactly so, and what runs all the same', async () => {
    const { context } = createHome();
    const { report } = await examine(plain, context);
    expect(report.gpus).toEqual([]);
    expect(report.noGpus && toText(report.noGpus)).toContain('nvidia-smi is not installed');
    expect(report.backends.docker.available).toBe(false);
    expect(toText(report.backends.docker.why)).toContain('none.sock');
    expect(report.subject).toMatchObject({ profile: { name: 'tiny' }, asked: false, running: false });
    expect(report.chosen && toText(report.chosen)).toContain('nvidia-smi is not installed');
    expect(report.profiles.filter(({ verdict }) => verdict === 'runs').map(({ name }) => name)).toEqual(['cpu', 'tiny', 'demo']);
    expect(existsSync(context.places.state)).toBe(false);
  });

  test('a profile for GPUs cannot run, and another one is proposed', async () => {
    const { context } = createHome();
    const { report } = await examine({ ...plain, profile: 'fp8' }, context);
    expect(report.verdict).toBe('error');
    expect(toDoctorStatus(report, { strict: false })).toBe(4);
    expect(report.next).toBe('qwen-deploy up');
    expect(toText(report.summary)).toContain('cpu, tiny, demo');
  });

  test('the simulator needs nothing', async () => {
    const { context } = createHome();
    const { report } = await examine({ ...plain, profile: 'demo', sets: [`server.port=${await freePort()}`] }, context);
    expect(report.checks.filter(({ needed }) => needed)).toEqual([]);
    expect(report.next).toBe('qwen-deploy up -p demo');
  });
});

describe('another machine', () => {
  test('of a card only its GPU is judged, and that is said', async () => {
    const { context } = createHome();
    const { report } = await examine({ ...plain, profile: 'fp8', gpu: 'RTX 4090' }, context);
    expect(report.elsewhere).toBe('RTX 4090');
    expect(report.gpus).toMatchObject([{ name: 'RTX 4090', computeCapability: '8.9' }]);
    const others = report.checks.filter(({ group }) => group !== 'gpu');
    expect(new Set(others.map(({ status, message }) => `${status} ${toText(message)}`))).toEqual(
      new Set(['skip not known of that machine (RTX 4090)']),
    );
    expect(report.checks.filter(({ needed }) => needed)).toEqual([]);
    expect(report.next).toBe('qwen-deploy up -p fp8');
  });

  test.each(['no such card', 'A100'])('%s is a mistake in the line', async (gpu) => {
    const { context } = createHome();
    await expect(examine({ ...plain, gpu }, context)).rejects.toMatchObject({ exitStatus: 2 });
  });

  test('the profile is chosen for that card', async () => {
    const { context } = createHome();
    expect((await examine({ ...plain, gpu: 'L4' }, context)).report.subject).toMatchObject({ asked: false, profile: { name: 'fp8' } });
  });
});

describe('saved output of nvidia-smi', () => {
  const read = (name: string, context: TestContext, stdin: readonly unknown[] = []) =>
    readSavedSmi(name, {
      cwd: context.cwd,
      stdin: (async function* () {
        yield* stdin;
      })(),
    });

  test('from a file, beside the directory or from standard input, also as Windows writes it', async () => {
    const { home, context } = createHome();
    writeFileSync(join(home, 'a.txt'), 'GPU 0: x');
    writeFileSync(join(home, 'w.txt'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('GPU 0: x', 'utf16le')]));
    for (const name of ['a.txt', join(home, 'a.txt'), 'w.txt']) expect(await read(name, context)).toEqual({ name, text: 'GPU 0: x' });
    expect(await read('-', context, ['GPU', Buffer.from(' 0: x')])).toEqual({ name: '-', text: 'GPU 0: x' });
  });

  test('that cannot be read, or is far too large', async () => {
    const { home, context } = createHome();
    await expect(read('none.txt', context)).rejects.toMatchObject({ code: 'usage/unreadable-file', exitStatus: 2 });
    await expect(read(home, context)).rejects.toMatchObject({ code: 'usage/unreadable-file', params: { problem: 'EISDIR' } });
    const flood = Array.from({ length: 17 }, () => Buffer.alloc(2 ** 20));
    await expect(read('-', context, flood)).rejects.toMatchObject({ code: 'usage/too-large', exitStatus: 2 });
  });

  test.each([
    ['', 'there is nothing in it'],
    ['hello\u001b[31m world\n', 'its first line is "hello?[31m world"'],
    ['\u0000\u0001binary', 'its first line is'],
  ])('that nvidia-smi did not print: %j', async (text, words) => {
    const { context } = createHome();
    const error = await examine({ ...plain, smi: { name: 'x.txt', text } }, context).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'usage/not-smi', exitStatus: 2, params: { file: 'x.txt' } });
    const { problem } = (error as { params: { problem: Parameters<typeof toText>[0] } }).params;
    expect(toText(problem)).toContain(words);
  });
});

describe('a profile that cannot be read', () => {
  test('comes first; everything else is answered all the same', async () => {
    const { home, context } = createHome();
    const file = writeProfile(home, 'extends: base/cpu\nmodell: x\n');
    const { report, made } = await examine({ ...plain, profile: file }, context);
    expect(report.problem).toMatchObject({ ref: file, error: { code: 'profile/invalid' } });
    expect(report.findings.length).toBeGreaterThan(0);
    expect(report.subject).toBeUndefined();
    expect(made).toBeUndefined();
    expect(report.checks.some(({ status }) => status === 'pass')).toBe(true);
    expect([toDoctorStatus(report, { strict: true }), report.next]).toEqual([3, `qwen-deploy profiles check ${file}`]);
  });

  test('one that is not there is a mistake in the line, and so is a deployment', async () => {
    const { context } = createHome();
    await expect(examine({ ...plain, profile: 'tinny' }, context)).rejects.toMatchObject({ code: 'profile/unknown', exitStatus: 6 });
    await expect(examine({ ...plain, name: 'nobody' }, context)).rejects.toMatchObject({ code: 'deployment/unknown', exitStatus: 6 });
  });
});

test('an abort ends it at once', async () => {
  const { home } = createHome();
  const stop = new AbortController();
  stop.abort(new Error('Ctrl-C'));
  const env = { PATH: home, HOME: home, QWEN_DEPLOY_HOME: home };
  await expect(examine(plain, createTestContext(home, { env, signal: stop.signal }))).rejects.toThrow();
});

describe('--fix', () => {
  test('without anything to change nothing is asked', async () => {
    const { context } = createHome();
    const fixed = await fixAndExamine({ ...plain, profile: 'demo' }, { yes: false }, context);
    expect(fixed.applied).toEqual([]);
    expect(context.words()).toContain('doctor.fix.nothing');
  });

  test('shows, asks, changes, and looks again', async () => {
    const { home, context } = createHome();
    mkdirSync(context.places.state, { recursive: true });
    chmodSync(context.places.state, 0o777);
    const asked: string[] = [];
    const confirm = async (question: Parameters<typeof toText>[0], option: string) => {
      asked.push(`${toText(question)} ${option}`);
      return asked.length > 1;
    };
    const asking = { ...context, confirm };
    const request = { ...plain, profile: 'demo' };
    await expect(fixAndExamine(request, { yes: false }, asking)).rejects.toMatchObject({ code: 'confirm/declined', exitStatus: 8 });
    expect(statSync(context.places.state).mode & 0o777).toBe(0o777);
    const fixed = await fixAndExamine(request, { yes: false }, asking);
    expect(asked).toEqual(['Make these changes (1)? --yes', 'Make these changes (1)? --yes']);
    expect(statSync(context.places.state).mode & 0o777).toBe(0o700);
    expect(fixed.applied.map(({ text }) => toText(text))).toEqual([`change the mode of ${join(home, 'qd/state')} to 0700`]);
    expect(fixed.applied.flatMap(({ checks }) => checks.map(({ after }) => after))).toEqual(['pass']);
    const again = await fixAndExamine(request, { yes: true }, asking);
    expect(again.applied).toEqual([]);
  });

  test('a setting goes into the profile of the person, who gets the file as it was too', async () => {
    const { home, context } = createHome();
    const file = writeProfile(home, 'extends: base/cpu  # mine\nmodel: Qwen/Qwen3-0.6B\nresources: {cpus: "0,900"}\n');
    const fixed = await fixAndExamine({ ...plain, profile: file }, { yes: true }, context);
    expect(fixed.applied).toMatchObject([
      { change: { is: 'profile', file }, checks: [{ id: 'host.cpuset', before: 'fail', after: 'pass' }] },
    ]);
    expect(readFileSync(file, 'utf8')).toMatch(/^extends: base\/cpu # mine\n[\s\S]*cpus: "?0"?\}/);
    const backup = readdirSync(home).find((name) => name.startsWith('mine.yaml.bak-'));
    expect(readFileSync(join(home, backup ?? ''), 'utf8')).toContain('0,900');
  });
});

describe('--bundle', () => {
  const key = 'planted-Key/93842';
  const token = `hf_${'Zz9'.repeat(11)}`;

  function plant(home: string, context: TestContext) {
    const file = writeProfile(
      home,
      'extends: base/cpu\nmodel: Qwen/Qwen3-0.6B\nserver: {api-key: env:MY_OWN_NAME}\nengine: {env: {OTHER_TOKEN: "file:./key.txt"}}\n',
    );
    const files = {
      'key.txt': 'planted-in-a-file-771\n',
      'qd/state/deployments/mine/state.json': 'not even JSON planted-Key/93842',
      'qd/state/deployments/mine/events.ndjson': `{"type":"note","text":"Authorization: Bearer ${key}"}\n`,
      'qd/state/deployments/mine/supervisor.log': `HF_TOKEN=${token}\nhttp://me:planted-pw@proxy:1\n`,
      'qd/state/deployments/mine/launches/0190/engine-0190.log': `${'early line\n'.repeat(300_000)}--api-key ${key} in ${home}/x planted-in-a-file-771\n`,
      'qd/config/profiles/.keep': '',
      '.cache/huggingface/token': 'planted-hub-token-5\n',
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    void context;
    return file;
  }

  test('K8 has everything in it that helps, and none of the secrets', async () => {
    const smi = `#!/bin/sh\necho "NVIDIA-SMI ${key} $*"\necho "proxy http://me:planted-pw@h:1"\n`;
    const env = { MY_OWN_NAME: key, HF_TOKEN: token, SOME_API_KEY: 'planted-by-name-1' };
    const { home, context } = createHome({ env, programs: { 'nvidia-smi': smi } });
    const profile = plant(home, context);
    const examined = await examine({ ...plain, profile, sets: ['labels.note=planted-by-name-1'] }, context);
    const documents = [{ name: 'doctor.txt', what: 'the report', text: `planted-by-name-1 planted-hub-token-5 ${home}\n` }];
    const file = './out.tar.gz';
    const written = await writeBundle({ file, force: false, version: '0.1.0', documents }, examined, context);
    expect(statSync(join(home, 'out.tar.gz')).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['xzf', 'out.tar.gz'], { cwd: home });
    const names = written.files.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'doctor.txt',
        'profile.json',
        'versions.json',
        'nvidia-smi/plain.txt',
        'nvidia-smi/plain-q-x.txt',
        'machine/proc-version',
        'deployments/mine/engine-0190.log',
        'deployments/mine/events.ndjson',
      ]),
    );
    const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(home, 'out', name), 'utf8')]));
    const all = Object.values(texts).join('\n');
    const planted = [key, token, 'planted-by-name-1', 'planted-pw', 'planted-in-a-file-771', 'planted-hub-token-5', home];
    for (const secret of planted) expect(all.includes(secret), secret).toBe(false);
    expect(JSON.parse(texts['profile.json'] ?? '')).toMatchObject({ server: { apiKey: 'env:MY_OWN_NAME' } });
    const log = texts['deployments/mine/engine-0190.log'] ?? '';
    expect(log).toMatch(/^\[the last 2\.0 MiB of 3\.1 MiB\]\n/);
    expect(log).toMatch(/--api-key \[REDACTED\] in ~\/x \[REDACTED\]\n$/);
    expect(readFileSync(join(home, 'out/LISTING.txt'), 'utf8').trimEnd().split('\n')).toHaveLength(names.length);
  });

  test('does not write over what is there, unless told to', async () => {
    const { home, context } = createHome();
    writeFileSync(join(home, 'there'), 'mine');
    const request = { file: 'there', force: false, version: '0.1.0', documents: [] };
    await expect(checkBundleFile(request, context)).rejects.toMatchObject({ code: 'usage/file-exists' });
    await expect(checkBundleFile({ file: '.', force: true }, context)).rejects.toMatchObject({ code: 'host/not-written' });
    const { report } = await examine({ ...plain, profile: 'demo' }, context);
    await expect(writeBundle(request, { report }, context)).rejects.toMatchObject({ code: 'usage/file-exists' });
    expect(readFileSync(join(home, 'there'), 'utf8')).toBe('mine');
    await writeBundle({ ...request, force: true }, { report }, context);
    expect(readFileSync(join(home, 'there')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    const nowhere = { ...request, file: 'no/such/x.tgz' };
    await expect(writeBundle(nowhere, { report }, context)).rejects.toMatchObject({ code: 'host/not-written', exitStatus: 4 });
  });
});
