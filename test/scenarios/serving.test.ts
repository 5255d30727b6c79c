import { fakeVllm } from './sandbox.ts';
import { describeServing } from './serving.ts';

describeServing({
  title: 'the stand-in engine',
  sandbox: {},
  // The second delay after a death is five times the first.
  up: ['--set', `engine.executable=${fakeVllm}`, '--set', 'restart.first-delay=200ms'],
  startMs: 30_000,
});
