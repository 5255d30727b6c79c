/** The ends of an engine: by itself, asked, killed from outside, killed by us. */
import { expect } from 'vitest';
import type { Case } from './case.ts';
import { openStream, patienceMs, readLog } from './kit.ts';

const tokens = 60;

export const endingCases: readonly Case[] = [
  ...[1, 7, 255].map(
    (code): Case => ({
      promises: `knows the exit code ${code} of an engine that failed`,
      needs: ['faults'],
      async play({ launch }) {
        const { exited, record } = await launch({ faults: { exit: `loading:${code}`, stderr: 'why it failed' } });
        expect(await exited).toEqual({ code });
        expect(await readLog(record)).toContain('why it failed\n');
      },
    }),
  ),
  {
    promises: 'knows the signal that somebody else ended it by',
    needs: [],
    async play({ launchReady, stage }) {
      const { exited, record } = await launchReady();
      process.kill(await stage.findMain(record), 'SIGKILL');
      expect(await exited).toEqual({ signal: 'SIGKILL' });
    },
  },
  {
    promises: 'ends with the code 0 when it is asked to stop',
    needs: [],
    async play({ launchReady, stage }) {
      const instance = await launchReady();
      await instance.terminate();
      expect(await instance.exited).toEqual({ code: 0 });
      expect(await readLog(instance.record)).toContain('Application shutdown complete.');
      expect(await instance.kill(patienceMs)).toEqual([]);
      expect(await stage.findAlive(instance.record)).toEqual([]);
      // Nobody is there any more.
      await instance.terminate();
    },
  },
  ...[1, 2].map(
    (times): Case => ({
      promises: `lets an answer come to its end that is being given when it is asked to stop (asked ${times} times)`,
      needs: [],
      async play({ launchReady }) {
        const instance = await launchReady();
        const { text } = await openStream(instance.record, tokens);
        for (let time = 0; time < times; time += 1) await instance.terminate();
        expect((await text).match(/^data: /gm)).toHaveLength(tokens + 1);
        expect(await text).toMatch(/"finish_reason":"length".*\n\ndata: \[DONE\]\n\n$/s);
        expect(await instance.exited).toEqual({ code: 0 });
      },
    }),
  ),
  {
    promises: 'asks a main process that was stopped to go on and end',
    needs: [],
    async play({ launchReady, stage }) {
      const instance = await launchReady();
      process.kill(await stage.findMain(instance.record), 'SIGSTOP');
      await instance.terminate();
      expect(await instance.exited).toEqual({ code: 0 });
    },
  },
  {
    promises: 'kills it, and says that nobody is left when nobody is',
    needs: [],
    async play({ launchReady, stage }) {
      const instance = await launchReady();
      expect(await instance.kill(patienceMs)).toEqual([]);
      expect(await stage.findAlive(instance.record)).toEqual([]);
      expect(await instance.members()).toEqual([]);
      expect(await instance.exited).toEqual({ signal: 'SIGKILL' });
    },
  },
  {
    promises: 'kills children that take no notice of any other signal, in sessions of their own',
    needs: ['faults'],
    async play({ launchReady, stage }) {
      const instance = await launchReady({ faults: { orphan: true, ignoreSigterm: true } });
      // API server, EngineCore, Worker and the stray, at least.
      expect((await stage.findAlive(instance.record)).length).toBeGreaterThanOrEqual(4);
      expect(await instance.kill(patienceMs)).toEqual([]);
      expect(await stage.findAlive(instance.record)).toEqual([]);
      expect(await instance.exited).toEqual({ signal: 'SIGKILL' });
    },
  },
  {
    promises: 'leaves no process, directory or container once it was ended and tidied, and tidies twice',
    needs: [],
    async play({ launchReady, stage }) {
      const instance = await launchReady({ secrets: { VLLM_API_KEY: 'x' } });
      expect(await stage.findLeft(instance.record)).not.toEqual([]);
      await instance.kill(patienceMs);
      await instance.exited;
      for (const _ of ['once', 'again']) {
        await instance.tidy();
        expect(await stage.findLeft(instance.record)).toEqual([]);
      }
      expect(await stage.findAlive(instance.record)).toEqual([]);
      expect(await readLog(instance.record)).toContain('Application startup complete.');
    },
  },
];
