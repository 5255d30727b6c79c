import { expect, test } from 'vitest';
import { isGroupOf } from '../../src/host/container-group.ts';

const id = 'ab'.repeat(32);

test.each([
  [`0::/docker/${id}`, true],
  [`4:memory:/system.slice/docker-${id}.scope\n1:name=systemd:/x`, true],
  [`0::/libpod_parent/libpod-${id}`, true],
  [`0::/machine.slice/libpod-${id}.scope/container`, true],
  [`0::/machine.slice/libpod-conmon-${id}.scope`, false],
  ['0::/libpod_parent/conmon', false],
  ['', false],
])('%s', (groups, isIts) => {
  expect(isGroupOf(groups, id)).toBe(isIts);
});
