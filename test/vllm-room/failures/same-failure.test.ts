import { describe, expect, it } from 'vitest';
import { toSignature } from '../../../src/vllm/failures/same-failure.ts';

describe('signature of a failure', () => {
  const same: readonly (readonly [string, string])[] = [
    [
      '(Worker pid=1) ERROR 11-21 06:23:25 [a.py:1] ValueError: Free memory on device cuda:0 (52.81/95.01 GiB) is less',
      '(Worker pid=20) ERROR 11-22 16:03:05 [a.py:12] ValueError: Free memory on device cuda:1 (2.5/95.01 GiB) is less',
    ],
    ["OSError: no file '/tmp/launch-1/a.sock'", "OSError: no file '/tmp/launch-22/b.sock'"],
    ['Error at 0x7f3a2b at ff48d6102772bf70418d122a', 'Error at 0x11 at 0048d6102772bf70418d122b'],
    ['request 24de28d4-33a8-46a3-8b6e-7989353db325 failed', 'request 53f5ed45-ecc6-4dea-9f5d-b854fd0db1fb failed'],
  ];
  it.each(same)('%s', (one, other) => {
    expect(toSignature(one)).toBe(toSignature(other));
  });

  it('keeps what was wrong', () => {
    expect(toSignature('ValueError: No common block size for 7')).not.toBe(toSignature('ValueError: no available memory for 7'));
    expect(toSignature('OSError: [Errno 98] Address already in use')).toBe('OSError: [Errno <n>] Address already in use');
  });
});
