import { expect, it } from 'vitest';
import { parseQueue, type QueueSeen, toQueueWait } from '../../src/vllm/queue.ts';

const page = (waiting: number, sum: number, count: number, engine = 0) =>
  [
    `vllm:num_requests_waiting{engine="${engine}",model_name="q"} ${waiting}.0`,
    `vllm:request_queue_time_seconds_bucket{engine="${engine}",le="0.3",model_name="q"} 7.0`,
    `vllm:request_queue_time_seconds_count{engine="${engine}",model_name="q"} ${count}.0`,
    `vllm:request_queue_time_seconds_sum{engine="${engine}",model_name="q"} ${sum}`,
    '',
  ].join('\n');

it('reads the queue, of all engines together', () => {
  expect(parseQueue(page(2, 8.5, 4))).toEqual({ waiting: 2, waitedSeconds: 8.5, served: 4 });
  expect(parseQueue(page(2, 8.5, 4) + page(1, 1.5, 2, 1))).toEqual({ waiting: 3, waitedSeconds: 10, served: 6 });
  expect(parseQueue('vllm:num_requests_waiting{engine="0"} 1.0\n')).toBeUndefined();
});

it('is the mean of those that got their turn, or how long some wait while none does', () => {
  const looks = [
    [0, { waiting: 0, waitedSeconds: 10, served: 5 }, undefined],
    [10, { waiting: 3, waitedSeconds: 40, served: 10 }, 6],
    [20, { waiting: 3, waitedSeconds: 40, served: 10 }, 10],
    [50, { waiting: 4, waitedSeconds: 40, served: 10 }, 40],
    [60, { waiting: 3, waitedSeconds: 90, served: 11 }, 50],
    [70, { waiting: 0, waitedSeconds: 90, served: 11 }, 0],
    [80, { waiting: 0, waitedSeconds: 4, served: 2 }, 2],
  ] as const;
  let seen: QueueSeen | undefined;
  const waits = looks.map(([at, queue]) => {
    const next = toQueueWait(seen, { ...queue, atMs: at * 1000 });
    seen = next.seen;
    return next.waitSeconds;
  });
  expect(waits).toEqual(looks.map(([, , expected]) => expected));
});
