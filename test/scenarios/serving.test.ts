import { fakeVllm } from './sandbox.ts';
import { describeServing } from './serving.ts';

describeServing({
  title: 'the stand-in engine',
  sandbox: {},
  up: ['--set', `engine.executable=${fakeVllm}`],
  startMs: 30_000,
});
