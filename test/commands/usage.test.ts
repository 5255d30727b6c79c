import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost } from './fake-host.ts';

const mistakes = [
  'statu',
  'xyzzy',
  '--foo',
  '--lang fr status',
  'up --profil tiny',
  'up --prof tiny',
  'up --zzzzzzzz',
  'up one two',
  'up --timeout 5x',
  'up --timeout=',
  'up -o jsn',
  'up --backend dokcer',
  'up --set',
  'up --set port',
  'up --set =9000',
  'up --dry',
  'down --grace soon',
  'down chat --all',
  'logs --tail 0',
  'logs --tail',
  'profiles shwo',
  'profiles show',
  'engine instal cpu',
  'engine install cup',
  'forget',
  'ask',
  'ask a b c',
];

test('mistakes in the command line, with the nearest thing that exists', async () => {
  const transcript: string[] = [];
  for (const line of mistakes) {
    const host = createFakeHost();
    const status = await runCommandLine(line.split(' '), host);
    expect({ line, status, stdout: host.printed.stdout }).toEqual({ line, status: 2, stdout: '' });
    transcript.push(`$ qwen-deploy ${line}\n${host.printed.stderr}`);
  }
  await expect(transcript.join('\n')).toMatchFileSnapshot('../golden/errors/usage.txt');
});

test.each([['up --dry -o json'], ['up --output=json --dry'], ['-o json up --dry'], ['up -ojson --dry']])(
  'as JSON when asked for, wherever the option stands: %s',
  async (line) => {
    const host = createFakeHost();
    expect(await runCommandLine(line.split(' '), host)).toBe(2);
    expect(host.printed.stderr).toBe('');
    expect(JSON.parse(host.printed.stdout)).toMatchObject({
      kind: 'Error',
      version: 1,
      code: 'usage/invalid',
      message: 'There is no option --dry here. Did you mean --dry-run?',
      hint: 'qwen-deploy up --help shows what is possible.',
      exitStatus: 2,
    });
  },
);

test('an empty question is refused before anything is asked', async () => {
  const host = createFakeHost({ stdin: ' \n' });
  expect(await runCommandLine(['ask', '-'], host)).toBe(2);
  expect(host.printed.stderr).toContain('The question is empty.');
});
