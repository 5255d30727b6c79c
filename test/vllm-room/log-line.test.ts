import { describe, expect, it } from 'vitest';
import { type LogLine, parseLogLine } from '../../src/vllm/log-line.ts';

const esc = String.fromCharCode(27);

const table: readonly (readonly [string, string, LogLine])[] = [
  [
    "vLLM's own, the API server",
    '(APIServer pid=9637) INFO 11-21 05:55:22 [model.py:2152] Using max model len 4096',
    { process: 'api', pid: 9637, level: 'INFO', at: '11-21 05:55:22', source: 'model.py:2152', text: 'Using max model len 4096' },
  ],
  [
    'a line of a multi-line record',
    '(Worker pid=29) ERROR 11-21 06:23:25 [m.py:1063]   File "/opt/x.py", line 1\r',
    { process: 'worker', pid: 29, level: 'ERROR', at: '11-21 06:23:25', source: 'm.py:1063', text: '  File "/opt/x.py", line 1' },
  ],
  [
    'an empty message',
    '(APIServer pid=1) INFO 11-21 05:55:22 [api_utils.py:347] ',
    { process: 'api', pid: 1, level: 'INFO', at: '11-21 05:55:22', source: 'api_utils.py:347', text: '' },
  ],
  [
    'a worker under its first name',
    '(VllmWorker-0 pid=7) WARNING 11-21 05:55:55 [vllm.py:725] x',
    { process: 'worker', pid: 7, level: 'WARNING', at: '11-21 05:55:55', source: 'vllm.py:725', text: 'x' },
  ],
  [
    'a worker of several, an engine of several',
    '(Worker_TP0_EP0 pid=7) INFO 11-21 05:55:55 [a/b.py:7] x',
    { process: 'worker', pid: 7, level: 'INFO', at: '11-21 05:55:55', source: 'a/b.py:7', text: 'x' },
  ],
  [
    'data parallel engine, no level',
    '(EngineCore_DP0 pid=3) Traceback (most recent call last):',
    { process: 'engine', pid: 3, text: 'Traceback (most recent call last):' },
  ],
  [
    'another process',
    '(DPCoordinator pid=4) INFO 11-21 05:55:55 [a.py:7] x',
    { process: 'DPCoordinator', pid: 4, level: 'INFO', at: '11-21 05:55:55', source: 'a.py:7', text: 'x' },
  ],
  [
    'older, without process',
    'INFO 06-11 11:46:39 [core.py:1] ready',
    { level: 'INFO', at: '06-11 11:46:39', source: 'core.py:1', text: 'ready' },
  ],
  ['uvicorn', 'INFO:     Application startup complete.', { level: 'INFO', text: 'Application startup complete.' }],
  [
    'uvicorn, access',
    'INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK',
    { level: 'INFO', text: '127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK' },
  ],
  ['critical is an error', 'CRITICAL: gone', { level: 'ERROR', text: 'gone' }],
  ['raw', '  Value error, no', { text: '  Value error, no' }],
  ['nothing', '', { text: '' }],
  [
    'coloured',
    `${esc}[0;36m(EngineCore pid=5)${esc}[0;0m INFO 11-21 05:55:22 [core.py:1] ${esc}[1mloud${esc}[0m`,
    { process: 'engine', pid: 5, level: 'INFO', at: '11-21 05:55:22', source: 'core.py:1', text: 'loud' },
  ],
  ['a redrawn progress bar', 'shards:   0%| a\rshards:  50%| b\rshards: 100%| c\r', { text: 'shards: 100%| c' }],
  [
    'JSON',
    '{"asctime": "2026-11-21 06:27:49,220", "levelname": "INFO", "name": "vllm.config.model", "processName": "MainProcess", "process": 3082, "message": "Using max model len 32768", "vllm_process_name": "APIServer"}',
    { process: 'api', pid: 3082, level: 'INFO', at: '11-21 06:27:49', source: 'vllm.config.model', text: 'Using max model len 32768' },
  ],
  ['JSON of somebody else', '{"a": 1}', { text: '{"a": 1}' }],
  ['no JSON at all', "{'model': 'x'}", { text: "{'model': 'x'}" }],
];

describe('one line of a log', () => {
  it.each(table)('%s', (_, line, expected) => {
    expect(parseLogLine(line)).toEqual(expected);
  });
});
