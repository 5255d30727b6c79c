import { expect, test } from 'vitest';
import { chooseOutput } from '../../src/views/choose.ts';

const terminal = { stdoutIsTerminal: true, stderrIsTerminal: true };
const pipe = { stdoutIsTerminal: false, stderrIsTerminal: false };

test.each([
  ['auto', terminal, {}, { mode: 'tty', colors: true, live: true }],
  ['auto', pipe, {}, { mode: 'plain', colors: false, live: false }],
  ['auto', { ...terminal, stdoutIsTerminal: false }, {}, { mode: 'plain', colors: false, live: false }],
  ['auto', { ...terminal, columns: 0 }, {}, { mode: 'tty', colors: true, live: false }],
  ['auto', { ...terminal, columns: 80 }, {}, { mode: 'tty', colors: true, live: true }],
  ['auto', terminal, { TERM: 'dumb' }, { mode: 'plain', colors: false, live: false }],
  ['auto', terminal, { CI: 'true' }, { mode: 'plain', colors: false, live: false }],
  ['auto', terminal, { CI: 'false' }, { mode: 'tty', colors: true, live: true }],
  ['auto', terminal, { NO_COLOR: '1' }, { mode: 'tty', colors: false, live: true }],
  ['auto', terminal, { FORCE_COLOR: '0' }, { mode: 'tty', colors: false, live: true }],
  ['auto', pipe, { FORCE_COLOR: '1' }, { mode: 'plain', colors: true, live: false }],
  ['auto', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, { mode: 'plain', colors: false, live: false }],
  ['plain', terminal, { FORCE_COLOR: '1' }, { mode: 'plain', colors: false, live: false }],
  ['tty', pipe, {}, { mode: 'tty', colors: true, live: false }],
  ['tty', terminal, { TERM: 'dumb' }, { mode: 'tty', colors: false, live: false }],
  ['json', terminal, {}, { mode: 'json', colors: false, live: false }],
  ['quiet', terminal, {}, { mode: 'quiet', colors: false, live: false }],
] as const)('%s %o %o', (asked, streams, env, output) => {
  expect(chooseOutput(asked, { env, ...streams })).toEqual(output);
});
