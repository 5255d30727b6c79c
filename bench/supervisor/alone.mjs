// An engine without children that answers what readiness asks for, and writes a log of a given size when it is told to
// (WRITE_BYTES); `/written` says how many seconds that took. For the benchmark only.
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';

const port = Number(read('--port')[0]);
const names = read('--served-model-name');
let seconds = '';

const answers = {
  '/health': () => ({}),
  '/load': () => ({ server_load: 0 }),
  '/v1/models': () => ({ object: 'list', data: names.map((id) => ({ id, object: 'model' })) }),
  '/v1/completions': () => ({ choices: [{ index: 0, text: ' a', finish_reason: 'length' }], usage: { completion_tokens: 1 } }),
  '/v1/chat/completions': () => ({
    choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'length' }],
    usage: { completion_tokens: 1 },
  }),
};

const server = createServer((request, reply) => {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/written') return reply.end(seconds);
  const answer = answers[path];
  request.resume();
  request.on('end', () => {
    reply.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(answer?.() ?? {}));
  });
});
server.listen(port, '127.0.0.1', () => setTimeout(writeLog, 1000, Number(process.env.WRITE_BYTES ?? 0)));
process.on('SIGTERM', () => process.exit(0));

/** Line by line and without our own buffers, as Python's logging does. */
function writeLog(bytes) {
  if (bytes === 0) return;
  const line = Buffer.from(`(APIServer pid=1) INFO 01-01 00:00:00 [loggers.py:1] ${'x'.repeat(150)}\n`);
  const startedAt = performance.now();
  for (let written = 0; written < bytes; ) {
    try {
      written += writeSync(1, line);
    } catch (error) {
      // A pipe that nobody empties: wait, as a blocking write would.
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  seconds = String((performance.now() - startedAt) / 1000);
}

/** Values of an option, up to the next one. */
function read(option) {
  const after = process.argv.slice(process.argv.indexOf(option) + 1);
  const end = after.findIndex((word) => word.startsWith('--'));
  return end < 0 ? after : after.slice(0, end);
}
