/** A real EngineCore or worker that is frozen (SIGSTOP) while `/health` says 200: found, looked at, replaced. */
import { playAll } from './play.ts';
import { hangs } from './supervision.ts';

playAll(hangs, ['health.stall-after=8s', 'health.canary-interval=6s', 'restart.first-delay=100ms', 'restart.max-failures=20']);
