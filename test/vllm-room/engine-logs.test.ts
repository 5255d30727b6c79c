import { expect, test } from 'vitest';
import type { Diagnosis } from '../../src/core/finding.ts';
import { say } from '../../src/core/message.ts';
import { createEngineLogs, type EngineScan } from '../../src/vllm/unwrap/engine-logs.ts';
import type { UnwrappedLine } from '../../src/vllm/unwrap/unwrap.ts';

/** `FAIL cause` is a failure; of several the newest one counts. */
function openScan(): EngineScan {
  let line = 0;
  let found: Diagnosis | undefined;
  return {
    push(text) {
      line += 1;
      const cause = /^FAIL (\w+)/.exec(text)?.[1];
      if (cause === undefined) return;
      found = { cause, title: say('explain-log.healthy'), permanent: false, confidence: 'sure', evidence: [{ line, text }] };
    },
    diagnose: () => found,
  };
}

function read(lines: readonly (string | Omit<UnwrappedLine, 'number'>)[]) {
  const logs = createEngineLogs(openScan);
  for (const [index, line] of lines.entries()) logs.push({ ...(typeof line === 'string' ? { text: line } : line), number: index + 1 });
  return logs.end().map(({ failed, ...engine }) => ({
    ...engine,
    ...(failed ? { launch: failed.launch, cause: failed.diagnosis.cause, line: failed.diagnosis.evidence[0]?.line } : {}),
  }));
}

const banner = 'INFO 11-21 10:00:00 [api_utils.py:347]  ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.32.0';
const settings = "INFO 11-21 10:00:00 [api_utils.py:286] non-default args: {'port': 8000}";
const by = (source: string) => (text: string) => ({ text, source });

test('a log without a banner is one launch', () => {
  expect(read(['a', 'FAIL port_in_use', 'b'])).toEqual([{ isVllm: false, launches: 1, launch: 1, cause: 'port_in_use', line: 2 }]);
  expect(read([])).toEqual([{ isVllm: false, launches: 1 }]);
});

test.each([
  ['pictures and settings', [banner, settings]],
  ['a plain banner', ['INFO [x.py:1] vLLM API server version 0.8.5', 'INFO [x.py:2] args: Namespace(port=8000)']],
  ['records of JSON', ['{"message": "vLLM server version 0.32.0, serving model x"}', '{"message": "non-default args: {}"}']],
  ['settings alone', [settings]],
  ['a banner alone', [banner]],
])('of several launches with %s the last one that failed counts', (_, head) => {
  const lines = [...head, 'FAIL first', ...head, 'FAIL second', 'more', ...head, 'well'];
  expect(read(lines)).toEqual([{ isVllm: true, launches: 3, launch: 2, cause: 'second', line: lines.indexOf('FAIL second') + 1 }]);
});

test('words of a request about versions begin no launch', () => {
  const lines = [banner, settings, 'which vLLM server version do you have?', 'Received request: args: {}', 'FAIL late'];
  expect(read(lines)).toMatchObject([{ launches: 1, cause: 'late', line: 5 }]);
});

test('engines that are mixed line by line are told apart, each with the lines of the file', () => {
  const [a, b] = [by('pod-a/vllm'), by('pod-b/vllm')];
  const lines = [a(banner), b(banner), a(settings), b(settings), a('x'), b('FAIL kv_cache_too_small'), a('FAIL port_in_use')];
  expect(read(lines)).toEqual([
    { source: 'pod-b/vllm', isVllm: true, launches: 1, launch: 1, cause: 'kv_cache_too_small', line: 6 },
    { source: 'pod-a/vllm', isVllm: true, launches: 1, launch: 1, cause: 'port_in_use', line: 7 },
  ]);
});

test('what is known comes before what is not, and vLLM before what stands beside it', () => {
  const lines = [
    by('proxy')('FAIL disk_full'),
    by('a')('vllm FAIL'),
    by('a')('FAIL unknown'),
    by('b')('vllm'),
    by('b')('FAIL port_in_use'),
    by('c')('fine'),
  ];
  expect(read(lines).map(({ source }) => source)).toEqual(['b', 'proxy', 'a', 'c']);
});

test("the machine's own lines are every engine's", () => {
  const lines = [by('vllm')(banner), { text: 'FAIL host_oom_killed' }, by('vllm')('x')];
  expect(read(lines)).toEqual([{ source: 'vllm', isVllm: true, launches: 1, launch: 1, cause: 'host_oom_killed', line: 2 }]);
  // Nobody else is there to be told.
  expect(read([{ text: 'FAIL host_oom_killed' }, by('cron')('x')])[0]).toMatchObject({ cause: 'host_oom_killed', line: 1 });
});

test('a crowd of sources stays bounded and loses nothing', () => {
  const lines = Array.from({ length: 2000 }, (_, index) => by(`pod-${index}`)(index === 1999 ? 'FAIL port_in_use' : 'x'));
  const engines = read(lines);
  expect(engines.length).toBeLessThan(50);
  expect(engines[0]).toMatchObject({ cause: 'port_in_use', line: 2000 });
});

test('in a log that is mixed for millions of lines the last ones have their numbers', () => {
  const logs = createEngineLogs(openScan);
  let number = 0;
  for (let turn = 0; turn < 600_000; turn += 1) {
    number += 1;
    logs.push({ text: 'x', number, source: 'a' });
    number += 1 + (turn % 3);
    logs.push({ text: turn === 599_990 ? 'FAIL port_in_use' : 'y', number, source: 'b' });
    if (turn === 599_990) expect(number).toBeGreaterThan(1_000_000);
  }
  const wanted = Array.from({ length: 599_991 }, (_, turn) => 2 + (turn % 3)).reduce((sum, one) => sum + one, 0);
  expect(logs.end()[0]?.failed?.diagnosis.evidence[0]?.line).toBe(wanted);
});
