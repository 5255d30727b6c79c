/** A launch: what it is given, what it says, and that nothing of it is left where it cannot begin. */
import { expect } from 'vitest';
import { readCommandLine } from '../../src/host/proc.ts';
import type { Case } from './case.ts';
import {
  patienceMs,
  readEnvironment,
  readLimits,
  readLog,
  setFaults,
  toUrl,
  waitUntilAnswers,
  waitUntilLogged,
  waitUntilQuiet,
} from './kit.ts';

const mebibyte = 2 ** 20;
const floodLines = 50_000;

export const orderCases: readonly Case[] = [
  {
    promises: 'starts an engine whose processes are its members, and whose endpoint answers',
    needs: [],
    async play({ launch, stage }) {
      const instance = await launch();
      expect(instance.record.process ?? instance.record.containerId).toBeDefined();
      await waitUntilAnswers(instance.record);
      const members = await instance.members();
      expect(toSorted(members.map(({ pid }) => pid))).toEqual(toSorted(await stage.findAlive(instance.record)));
      expect(members.map(({ pid }) => pid)).toContain(await stage.findMain(instance.record));
    },
  },
  {
    promises: 'has all that the engine says in the log, both streams in their order, when its exit is known',
    needs: ['faults'],
    async play({ launchReady }) {
      const { record, exited } = await launchReady();
      await setFaults(record, { flood: 30_000 });
      await waitUntilLogged(record, `flood ${floodLines} `);
      await setFaults(record, { flood: 0 });
      await waitUntilQuiet(record);
      // It may be gone before it has answered.
      await setFaults(record, { stderr: 'these are the last words', exitNow: 3 }).catch(() => undefined);
      expect(await exited).toMatchObject({ code: 3 });
      const log = await readLog(record);
      const numbers = [...log.matchAll(/ flood (\d+) /g)].map(([, number]) => Number(number));
      expect(numbers.length).toBeGreaterThanOrEqual(floodLines);
      expect(numbers.findIndex((number, index) => number !== index + 1)).toBe(-1);
      const places = ['Application startup complete.', 'flood 1 ', `flood ${numbers.length} `, 'these are the last words'];
      expect(places.map((words) => log.split(words).length - 1)).toEqual([1, 1, 1, 1]);
      const order = places.map((words) => log.indexOf(words));
      expect(order).toEqual(toSorted(order));
    },
  },
  {
    promises: 'gives secrets to the engine and shows them to nobody',
    needs: [],
    async play({ launchReady, stage }) {
      const secret = "it's a $ecret `of` mine";
      const { record } = await launchReady({ secrets: { VLLM_API_KEY: secret } });
      expect(await readEnvironment(await stage.findMain(record))).toContain(`VLLM_API_KEY=${secret}`);
      const ask = (key: string) => fetch(toUrl(record, '/v1/models'), { headers: { authorization: `Bearer ${key}` } });
      expect([(await ask(secret)).status, (await ask('another')).status]).toEqual([200, 401]);
      const commands = await Promise.all((await stage.findAlive(record)).map(readCommandLine));
      const shown = [...commands, await readLog(record), await stage.readPublic(record), JSON.stringify(record)];
      expect(shown.filter((text) => text.includes('ecret `of` mine'))).toEqual([]);
    },
  },
  {
    promises: 'gives it the CPUs and the open files that were ordered',
    needs: [],
    async play({ launchReady, stage }) {
      const { record } = await launchReady({ resources: { cpus: '0', nofile: 4096 } });
      expect(await readLimits(await stage.findMain(record))).toMatchObject({ cpus: '0', nofile: 4096 });
      expect(record).not.toHaveProperty('cpusProblem');
      expect(record).not.toHaveProperty('nofileProblem');
    },
  },
  {
    promises: 'caps memory and number of processes, or says why it does not',
    needs: [],
    async play({ launchReady, stage }) {
      const [memoryBytes, pids] = [512 * mebibyte, 512];
      const { record } = await launchReady({ resources: { memoryBytes, pids } });
      const limits = await readLimits(await stage.findMain(record));
      expect(limits.memoryBytes === memoryBytes).toBe(record.memoryCapProblem === undefined);
      expect(limits.pids === pids).toBe(record.pidsCapProblem === undefined);
    },
  },
  {
    promises: 'caps memory and number of processes on every machine, and says of an engine that memory ran out',
    needs: ['caps', 'faults'],
    async play({ launchReady, stage }) {
      const [memoryBytes, pids] = [512 * mebibyte, 512];
      const { record, exited } = await launchReady({ resources: { memoryBytes, pids } });
      expect(await readLimits(await stage.findMain(record))).toMatchObject({ memoryBytes, pids });
      await setFaults(record, { eat: 'api' }).catch(() => undefined);
      expect(await exited).toMatchObject({ signal: 'SIGKILL', outOfMemory: true });
    },
  },
  {
    promises: 'keeps two launches at once apart',
    needs: [],
    async play({ launchReady, stage }) {
      const [first, second] = await Promise.all([launchReady(), launchReady()]);
      const before = toSorted(await stage.findAlive(second.record));
      expect(await first.kill(patienceMs)).toEqual([]);
      await first.tidy();
      expect(await stage.findAlive(first.record)).toEqual([]);
      expect(toSorted((await second.members()).map(({ pid }) => pid))).toEqual(before);
      await waitUntilAnswers(second.record);
    },
  },
  {
    promises: 'starts nothing where what is to be started is not there, says so, and leaves nothing',
    needs: [],
    async play({ stage, launchOrder }) {
      const order = stage.toImpossible(await stage.order({ secrets: { VLLM_API_KEY: 'x' } }));
      await expect(launchOrder(order)).rejects.toMatchObject({ name: 'DeployError' });
      expect(await stage.findAlive(order.record)).toEqual([]);
      expect(await stage.findLeft(order.record)).toEqual([]);
    },
  },
];

function toSorted(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b);
}
