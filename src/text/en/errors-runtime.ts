/** A launch, its processes and its logs. */
export const runtimeErrors = {
  'runtime/port-taken': {
    message: 'Port {port} on {host} is taken by {owner}.',
    hint: 'Choose another: --set server.port={free}',
  },
  'runtime/port-forbidden': {
    message: 'Port {port} may not be opened by this user.',
    hint: 'Choose one from 1024 up: --set server.port=8000',
  },
  'runtime/bad-address': {
    message: 'The address {host} is not of this machine.',
    hint: 'Use 127.0.0.1 (this machine only) or 0.0.0.0 (everybody).',
  },
  'runtime/spawn-failed': { message: '{program} could not be started: {problem}', hint: 'Try it by hand: {program} --version' },
  'runtime/hidden': {
    message: 'Process {pid} cannot be looked at: {problem}.',
    hint: 'Is /proc mounted with hidepid? Then only the user who started the engine sees it: run this as that user.',
  },
  'runtime/launch-files': {
    message: 'The files of a launch cannot be made in {path}: {problem}.',
    hint: 'Check that the disk has room and that this user may write there.',
  },
  'runtime/unkillable': {
    message: 'Something of {name} could not be stopped: {survivors}.',
    hint: 'A process in state D waits for a device or a file system; only the kernel can end it. Nothing new is started over it.',
  },
  'runtime/secret': {
    message: 'The secret {ref} cannot be read: {problem}.',
    hint: 'Set the variable or create the file for the user who runs qwen-deploy.',
  },
  'runtime/secret-file': {
    message: 'The secret file {path} is not used: {problem}.',
    hint: 'It must be a plain file of the user who runs qwen-deploy, for nobody else: chmod 600 {path}',
  },
  'log/no-file': { message: 'There is no file {file}.', hint: 'Check the path; qwen-deploy explain --log - reads standard input.' },
  'log/empty': {
    message: '{file} is empty: there is nothing to be explained.',
    hint: 'vLLM writes to both outputs; docker logs NAME 2>&1 | qwen-deploy explain --log - takes both.',
  },
  'log/none': { message: '{name} has no {which} log.', hint: 'qwen-deploy events {name} shows what happened.' },
} as const;
