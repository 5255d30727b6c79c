import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPlaceChecks, placeChecks } from '../../src/doctor/checks/places.ts';
import { createMachine, createSubject, runCheck, type StandInMachine } from './stand-ins.ts';

afterEach(() => vi.restoreAllMocks());

function make(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, mode);
}

function put(path: string, place: (path: string) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  place(path);
}

function makeAll({ places }: StandInMachine): void {
  for (const path of Object.values(places)) make(path, 0o700);
}

const ask = (machine: StandInMachine, checks = placeChecks) => runCheck(checks, 'host.places', machine);

describe('host.places', () => {
  it.each<[string, (machine: StandInMachine) => void, string, RegExp]>([
    ['nothing yet', () => undefined, 'pass', /0 of 5 here; the others are made/],
    ['some', ({ places }) => make(places.data, 0o700), 'pass', /1 of 5/],
    ['all', makeAll, 'pass', /all 5 here/],
    ['readable by others, which is mended at the next start', ({ places }) => make(places.state, 0o755), 'pass', /1 of 5/],
    ['a file in its place', ({ places }) => put(places.run, (path) => writeFileSync(path, '')), 'fail', /run is no directory/],
    ['a link in its place', ({ places }) => put(places.run, (path) => symlinkSync('/nowhere', path)), 'fail', /no directory/],
    ['a file above it', ({ places }) => writeFileSync(dirname(places.run), ''), 'fail', /cannot be written \(ENOTDIR\)/],
  ])('%s', async (_, prepare, expected, message) => {
    const machine = createMachine({ subject: await createSubject('demo') });
    prepare(machine);
    const answer = await ask(machine);
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message), needed: true });
    expect(answer.evidence).toHaveLength(5);
    expect(answer.hint !== '').toBe(expected === 'fail');
  });

  it('closes what others can write, one after the other', async () => {
    const machine = createMachine();
    makeAll(machine);
    chmodSync(machine.places.data, 0o777);
    chmodSync(machine.places.run, 0o770);
    const first = await ask(machine);
    expect(first).toMatchObject({ status: 'fail', fix: { is: 'mode', path: machine.places.data, mode: 0o700 } });
    expect(first.message).toMatch(/written by others \(mode 777\)/);
    chmodSync(machine.places.data, 0o700);
    expect((await ask(machine)).fix).toEqual({ is: 'mode', path: machine.places.run, mode: 0o700 });
    chmodSync(machine.places.run, 0o700);
    expect((await ask(machine)).status).toBe('pass');
  });

  it('names the owner of what belongs to somebody else', async () => {
    const machine = createMachine();
    makeAll(machine);
    const uid = process.getuid?.() ?? 0;
    vi.spyOn(process, 'getuid').mockReturnValue(4321);
    const answer = await ask(machine);
    expect(answer.message).toMatch(new RegExp(`config belongs to uid ${uid}$`));
    expect(answer.fix).toEqual({ is: 'command', command: `sudo chown -R 4321 ${machine.places.config}` });
  });

  it.each([
    ['is not there', () => undefined, /\(EACCES\)$/],
    ['cannot be reached', (path: string) => symlinkSync(path, path), /\(ELOOP\)$/],
  ])('knows a runtime directory that %s, as after su and sudo', async (_, prepare, message) => {
    const { env } = createMachine();
    const runtime = `${env.HOME}/runtime`;
    prepare(runtime);
    const machine = createMachine({ env: { QWEN_DEPLOY_HOME: '', XDG_RUNTIME_DIR: runtime } });
    const answer = await ask(
      machine,
      createPlaceChecks(async (path) => (path === env.HOME ? 'EACCES' : undefined)),
    );
    expect(answer).toMatchObject({ status: 'fail', message: expect.stringMatching(/^XDG_RUNTIME_DIR is .*runtime/) });
    expect(answer.message).toMatch(message);
    expect(answer.hint).toMatch(/unset XDG_RUNTIME_DIR/);
  });

  it.each([
    ['nothing can be made', undefined, /home cannot be written \(EROFS\)$/],
    ['nothing can be written', 0o700, /config cannot be written \(EROFS\)$/],
  ])('says where %s', async (_, mode, message) => {
    const machine = createMachine();
    if (mode !== undefined) makeAll(machine);
    const answer = await ask(
      machine,
      createPlaceChecks(async () => 'EROFS'),
    );
    expect(answer).toMatchObject({ status: 'fail', message: expect.stringMatching(message) });
    expect(answer.hint).toMatch(/QWEN_DEPLOY_HOME/);
  });
});
