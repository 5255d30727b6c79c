/** One bundle, four kinds of process: the API server that is started, and the ones that it starts from the same file. */
import { runApiServer } from './api-server.ts';
import { runEngineCore, runStray, runWorker } from './children.ts';

const [role, ...words] = process.argv.slice(2);
switch (role) {
  case '__engine-core':
    runEngineCore({ lingerMs: Number(words[0]), orphan: words[1] === 'orphan' });
    break;
  case '__worker':
    runWorker({ lingerMs: Number(words[0]) });
    break;
  case '__stray':
    runStray();
    break;
  default:
    await runApiServer(process.argv.slice(2));
}
