import { describe, expect, it } from 'vitest';
import { causes } from '../../../src/vllm/failures/causes.ts';
import { captures, cases, explain, healthy, isRight, readCapture, readCase } from './logs.ts';
import { mutations } from './mutate.ts';

describe('logs with known causes', () => {
  const derivable = cases.filter((one) => one.derivable);

  it('are told in 97 of 100 cases and more', () => {
    const wrong = derivable.filter((one) => !isRight(explain(readCase(one)), one)).map(({ log }) => log);
    expect(wrong.length / derivable.length, wrong.join(' ')).toBeLessThanOrEqual(0.03);
  });

  it('never call permanent what passes, however the log is changed', () => {
    const passing = cases.filter(({ verdict }) => verdict === 'transient');
    const wrong = passing.flatMap((one) =>
      [['as it is', (text: string, _line?: number) => text] as const, ...mutations].flatMap(([name, change]) =>
        explain(change(readCase(one), one.line))?.permanent === true ? [`${one.log} ${name}`] : [],
      ),
    );
    expect(wrong).toEqual([]);
  });

  it.each(mutations)('%s', (_, change) => {
    const wrong = derivable.filter((one) => !isRight(explain(change(readCase(one), one.line)), one)).map(({ log }) => log);
    expect(wrong.length / derivable.length, wrong.join(' ')).toBeLessThanOrEqual(0.03);
  });

  it('there is one for every cause', () => {
    const shown = new Set([...cases, ...captures].flatMap(({ cause }) => cause));
    expect(Object.keys(causes).filter((cause) => !shown.has(cause))).toEqual([]);
  });
});

describe('logs of a real engine', () => {
  it.each(captures.filter(({ fromLog }) => fromLog))('$log', (one) => {
    expect(isRight(explain(readCapture(one.log)), one)).toBe(true);
  });

  it.each(captures.filter(({ fromLog }) => !fromLog))('$log says nothing of its end', ({ log }) => {
    expect(explain(readCapture(log))).toBeUndefined();
  });

  it.each(healthy)('nothing failed in %s', (name) => {
    expect(explain(readCapture(name))).toBeUndefined();
  });

  it('names the version and the line', () => {
    const found = explain(readCapture('bad-kv-cache-too-small'));
    expect(found).toMatchObject({ cause: 'kv_cache_too_small', permanent: true, confidence: 'sure', engineVersion: '0.32.0' });
    expect(found?.evidence[0]?.text).toMatch(/^ValueError: To serve at least one request/);
    const lines = readCapture('bad-kv-cache-too-small').split('\n');
    expect(lines[(found?.evidence[0]?.line ?? 0) - 1]).toContain('To serve at least one request');
  });

  it('what is not known is called so, with the lines to read', () => {
    const found = explain(readCapture('cap-nofile-64'));
    expect(found).toMatchObject({ cause: 'unknown', permanent: false, confidence: 'unsure' });
    expect(found?.evidence[0]?.text).toMatch(/^zmq\.error\.ZMQError: Too many open files \(File "/);
  });
});

describe('what counts', () => {
  const ready = 'INFO:     Application startup complete.';
  const adapter = '(Worker pid=2) ERROR 11-21 06:07:25 [x.py:1] ValueError: Loading lora a failed: No adapter found for /x';
  const death =
    '(EngineCore pid=1) ERROR 11-21 07:07:25 [m.py:315] Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down';
  const stop = '(APIServer pid=1) INFO 11-21 06:07:27 [launcher.py:254] [shutdown] API server: shutdown triggered';
  const answer = 'INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK';
  const hang =
    '(EngineCore pid=1) INFO 11-21 06:17:14 [shm_broadcast.py:871] No available shared memory broadcast block found in 60 seconds.';
  const work = 'INFO:     127.0.0.1:1 - "POST /v1/completions HTTP/1.1" 200 OK';
  const join = (...lines: readonly string[]) => explain(lines.join('\n'))?.cause;

  it('nothing of an empty or a binary log', () => {
    expect(explain('')).toBeUndefined();
    expect(explain(String.fromCharCode(...Array.from({ length: 5000 }, (_, index) => (index * 7919) % 65_536)))).toBeUndefined();
  });

  it('an error of a request is survived', () => expect(join(ready, adapter, answer)).toBeUndefined());
  it('an error right before a death is its reason', () => expect(join(ready, adapter, death)).toBe('lora_failure'));
  it('an error long before a death is not', () =>
    expect(join(ready, adapter, ...Array.from({ length: 400 }, () => answer), death)).toBe('engine_dead_runtime'));
  it('a death before the order to stop is a death', () => expect(join(ready, death, stop)).toBe('engine_dead_runtime'));
  it('what follows the order to stop is not', () => expect(join(ready, stop, death)).toBeUndefined());
  it('an end that we asked for is none', () => expect(explain([ready, death].join('\n'), { wanted: true })).toBeUndefined());
  it('what has served is not given up', () => expect(explain([ready, adapter, death].join('\n'))?.permanent).toBe(false));
  it('silence after the last answer is a hang', () => expect(join(ready, work, hang, answer)).toBe('request_timeout_hang'));
  it('silence before the next answer was none', () => expect(join(ready, hang, work)).toBeUndefined());
  it('silence while it compiles is usual', () => expect(join('Dynamo bytecode transform time: 4.2 s', hang)).toBeUndefined());

  it('of several runs the newest that failed', () => {
    const banner = (version: string) => `(APIServer pid=1) INFO 11-21 06:00:00 [a.py:1] vLLM API server version ${version}`;
    const port = 'OSError: [Errno 98] Address already in use';
    expect(join(banner('0.30.0'), adapter, banner('0.31.0'), port)).toBe('port_in_use');
    expect(join(banner('0.30.0'), port, banner('0.31.0'))).toBe('port_in_use');
    expect(join(banner('0.30.0'), port, banner('0.31.0'), ready, answer)).toBeUndefined();
  });

  it('the last of a chain of exceptions', () => {
    const worker = (text: string) => `(Worker pid=2) ERROR 11-21 06:07:25 [x.py:1] ${text}`;
    const found = join(
      worker("ModuleNotFoundError: No module named 'x'"),
      worker('The above exception was the direct cause of the following exception:'),
      worker('RuntimeError: No available memory for the cache blocks.'),
    );
    expect(found).toBe('kv_cache_too_small');
  });

  it('a traceback inside of a JSON record', () => {
    const record = { levelname: 'ERROR', process: 7, vllm_process_name: 'EngineCore', message: 'EngineCore failed to start.' };
    const text = JSON.stringify({
      ...record,
      exc_info: 'Traceback:\n  File "x.py", line 1, in f\nValueError: No available memory for the cache blocks.',
    });
    expect(explain(text)).toMatchObject({ cause: 'kv_cache_too_small', permanent: true });
  });

  it('the cause in the middle of a line of a megabyte is lost, and its ends are not', () => {
    const filler = 'x '.repeat(500_000);
    expect(join(`OSError: [Errno 98] Address already in use ${filler}`)).toBe('port_in_use');
    expect(join(`${filler} OSError: [Errno 98] Address already in use`)).toBe('port_in_use');
  });

  it.each(['kill-engine', 'kill-worker-idle', 'kill-engine-idle-untouched'])(
    'a tail of %s that does not reach back to its start',
    (name) => {
      const lines = readCapture(name).split('\n');
      expect(join(...lines.slice(lines.findIndex((line) => line.includes('Application startup complete')) + 2))).toBe(
        'engine_dead_runtime',
      );
    },
  );

  it('out of memory is told by the worker, and by its phase', () => {
    const memory =
      '(Worker_TP0 pid=2) ERROR 11-21 06:07:25 [multiproc_executor.py:1063] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.';
    const fatal = '(EngineCore pid=1) ERROR 11-21 06:07:25 [core.py:1512] EngineCore encountered a fatal error.';
    const start = (phase: string) => `(Worker_TP0 pid=2) INFO 11-21 06:07:20 [x.py:1] ${phase}`;
    expect(join(ready, memory, fatal)).toBe('cuda_oom_runtime');
    expect(join(start('Starting to load model /models/x...'), memory)).toBe('cuda_oom_weights');
    expect(join(start('Available KV cache memory: 4.10 GiB'), memory)).toBe('cuda_oom_warmup');
    expect(join('(Worker_TP0 pid=2) ERROR   File "/x/gpu_worker.py", line 1, in determine_available_memory', memory)).toBe(
      'cuda_oom_warmup',
    );
  });

  it('NCCL’s exception does not say what its warning does', () => {
    const warning =
      'node-0:168:168 [0] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-U (size 9637888)';
    const error = '(Worker pid=120) ERROR 11-21 06:07:25 [x.py:1] RuntimeError: NCCL error: unhandled system error';
    const found = explain([error, warning].join('\n'));
    expect(found).toMatchObject({ cause: 'shm_too_small', alsoSeen: ['nccl_failure'] });
    expect(join(error)).toBe('nccl_failure');
  });

  it('a message that somebody wrapped', () => {
    expect(explain("ValueError: Invalid repository ID or local directory specified:\n'/models/x'.")).toMatchObject({
      cause: 'model_not_found',
      permanent: true,
    });
    expect(join('OSError: [Errno 98] Address already', '  in use')).toBe('port_in_use');
  });

  it('what stands there ten thousand times is told once', () => {
    const found = explain('OSError: [Errno 98] Address already in use\n'.repeat(10_000));
    expect(found).toMatchObject({ cause: 'port_in_use', evidence: [{ line: 1 }, { line: 10_000 }] });
  });

  it('keys do not come out', () => {
    const found = explain('vllm: error: unrecognized arguments: --no-such --api-key sk-0123456789abcdef0123456789');
    expect(JSON.stringify(found)).not.toContain('0123456789abcdef');
  });
});

describe('what others know', () => {
  it.each([
    [{ memory: { oomKilled: true, cap: 2 ** 31 } }, 'host_oom_killed'],
    [{ xid: 79 }, 'gpu_lost_xid'],
    [{ gpuLost: true }, 'gpu_lost_xid'],
    [{ diskFull: '/var' }, 'disk_full'],
    [{ exit: { signal: 'SIGKILL' } }, 'killed_by_operator'],
    [{ exit: { signal: 'SIGILL' } }, 'cpu_backend_failure'],
    [{ exit: { code: 127 } }, 'container_entrypoint_invalid'],
    [{ exit: { code: 1 } }, 'unknown'],
    [{ probe: 'hangs' as const }, 'request_timeout_hang'],
  ])('%j', (beside, cause) => {
    expect(explain('', beside)?.cause).toBe(cause);
  });

  it('memory that ran out wins over what the log complains of', () => {
    expect(explain(readCapture('kill-worker'), { memory: { oomKilled: true } })?.cause).toBe('host_oom_killed');
  });

  it('who else is on the GPU decides whether it passes', () => {
    const text =
      'ValueError: Free memory on device cuda:0 (7.1/8.0 GiB) on startup is less than desired GPU memory utilization (0.92, 7.36 GiB).';
    expect(explain(text, { othersOnGpu: true })?.permanent).toBe(false);
    expect(explain(text, { othersOnGpu: false })?.permanent).toBe(true);
    expect(explain(text)?.permanent).toBe(false);
  });
});
