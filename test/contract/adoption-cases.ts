/** Another supervisor in place of the one that started it: what it finds again, and what it does not take for its own. */
import { expect } from 'vitest';
import type { LaunchRecord } from '../../src/runtime/runtime.ts';
import type { Case } from './case.ts';
import { openStream, patienceMs, readLog, toUrl, waitUntilAnswers, waitUntilLogged } from './kit.ts';

/** As it comes back from disk. */
function toWritten(record: LaunchRecord): LaunchRecord {
  return JSON.parse(JSON.stringify(record)) as LaunchRecord;
}

export const adoptionCases: readonly Case[] = [
  {
    promises: 'finds the same engine again, with its answers under way, its log and its end',
    needs: [],
    async play({ launchReady, stage }) {
      const first = await launchReady();
      const { text } = await openStream(first.record, 30);
      first.release();
      const adopted = await stage.openRuntime().adopt(toWritten(first.record));
      expect((await text).match(/^data: /gm)).toHaveLength(31);
      const members = (await adopted?.members())?.map(({ pid }) => pid);
      expect(members?.toSorted()).toEqual((await stage.findAlive(first.record)).toSorted());
      await (await fetch(toUrl(first.record, '/version?asked-after-adoption'))).text();
      await waitUntilLogged(first.record, 'asked-after-adoption');
      await adopted?.terminate();
      expect(await adopted?.exited).toEqual({ code: 0 });
      const log = await readLog(first.record);
      for (const once of ['Application startup complete.', 'asked-after-adoption', 'Application shutdown complete.']) {
        expect([once, log.split(once).length - 1]).toEqual([once, 1]);
      }
    },
  },
  {
    promises: 'has in the log what was said while no supervisor was there',
    needs: [],
    async play({ launchReady, stage }) {
      const { record, release } = toBound(await launchReady());
      release();
      await (await fetch(toUrl(record, '/version?asked-of-nobody'))).text();
      const adopted = await stage.openRuntime().adopt(toWritten(record));
      await waitUntilLogged(record, 'asked-of-nobody');
      await adopted?.terminate();
      await adopted?.exited;
      expect((await readLog(record)).split('asked-of-nobody').length - 1).toBe(1);
    },
  },
  {
    promises: 'knows the end of an adopted engine that somebody else killed',
    needs: [],
    async play({ launchReady, stage }) {
      const { record, release } = toBound(await launchReady());
      release();
      const adopted = await stage.openRuntime().adopt(toWritten(record));
      process.kill(await stage.findMain(record), 'SIGKILL');
      expect(await adopted?.exited).toEqual({ signal: 'SIGKILL' });
    },
  },
  {
    promises: 'finds no engine that has ended, and can tidy what it left',
    needs: [],
    async play({ launchReady, stage }) {
      const instance = await launchReady();
      await instance.terminate();
      await instance.exited;
      expect(await stage.openRuntime().adopt(toWritten(instance.record))).toBeUndefined();
      const remains = stage.openRuntime().remains(toWritten(instance.record));
      expect(await remains.kill(patienceMs)).toEqual([]);
      await remains.tidy();
      expect(await stage.findLeft(instance.record)).toEqual([]);
    },
  },
  {
    promises: 'takes no other engine for the recorded one, and does not touch it',
    needs: [],
    async play({ launchReady, stage }) {
      const { record } = await launchReady();
      const strangers = stage.toStrangers(toWritten(record));
      expect(strangers).not.toEqual([]);
      for (const stranger of strangers) expect(await stage.openRuntime().adopt(stranger)).toBeUndefined();
      await waitUntilAnswers(record);
    },
  },
  {
    promises: 'finds and ends what a supervisor started that died before it could write down whom',
    needs: [],
    async play({ stage, launchOrder }) {
      const order = await stage.order();
      const { record, release } = toBound(await launchOrder(order));
      await waitUntilAnswers(record);
      release();
      const remains = stage.openRuntime().remains(toWritten(order.record));
      const pids = (await remains.members()).map(({ pid }) => pid);
      expect(pids).toEqual(expect.arrayContaining([...(await stage.findAlive(record))]));
      expect(await remains.kill(patienceMs)).toEqual([]);
      await remains.tidy();
      expect(await stage.findAlive(record)).toEqual([]);
    },
  },
  {
    promises: 'ends what has outlived the main process',
    needs: ['orphans', 'faults'],
    async play({ launchReady, stage }) {
      const { record, exited } = await launchReady();
      process.kill(await stage.findMain(record), 'SIGKILL');
      await exited;
      const remains = stage.openRuntime().remains(toWritten(record));
      const left = (await remains.members()).map(({ command }) => command);
      expect(left).toEqual(expect.arrayContaining(['VLLM::EngineCore', 'VLLM::Worker']));
      expect(await remains.kill(patienceMs)).toEqual([]);
      expect(await remains.members()).toEqual([]);
      expect(await stage.findAlive(record)).toEqual([]);
    },
  },
];

function toBound(instance: { readonly record: LaunchRecord; release(): void }): {
  readonly record: LaunchRecord;
  readonly release: () => void;
} {
  return { record: instance.record, release: () => instance.release() };
}
