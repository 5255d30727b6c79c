/** The line `status` and nothing else, in one piece: it is asked in loops and prompts, and reading the line would be half of its time. */
import { runStatus } from './commands/status-all.ts';
import { runProcess } from './entry/process.ts';

runProcess((_, host) => runStatus(host));
