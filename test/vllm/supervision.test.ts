/** Death, stops and start-up of a real vLLM. `npm run proof:supervisor` plays all, rounds of them. */
import { playAll } from './play.ts';
import { supervision } from './supervision.ts';

const all = process.env.QWEN_DEPLOY_PROOF === 'supervisor';
// Short and steady delays: what they grow to is shown with the stand-in. Time to drain on a machine that is busy otherwise.
const sets = ['restart.first-delay=3s', 'restart.max-delay=3s', 'restart.max-failures=20', 'stop.drain=60s'];

playAll(
  supervision.filter(({ inServing }) => all || !inServing),
  sets,
);
