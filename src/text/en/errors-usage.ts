/** What was typed: words of the command line, questions and their answers, and files that are given to a command. */
export const usageErrors = {
  'usage/invalid': { message: '{problem}', hint: 'qwen-deploy {command} --help shows what is possible.' },
  'usage/bad-line': { message: '{problem}', hint: 'qwen-deploy --help shows what is possible.' },
  'usage/bad-set': {
    message: '--set {text} is not of the form key.path=value.',
    hint: 'Write --set key.path=value, for example --set vllm.max-model-len=8192.',
  },
  'usage/replicas-foreground': {
    message: '--foreground keeps one deployment; {name} has {count} replicas.',
    hint: 'Leave --foreground away, or --set replicas=1.',
  },
  'usage/write-without-fix': {
    message: '--write puts into the profile what --fix had to change; without --fix there is nothing to write.',
    hint: 'Add --fix, or change the profile by hand.',
  },
  'usage/fix-needs-wait': {
    message: '--fix has to see whether the start succeeds, and so does not go with {option}.',
    hint: 'Leave one of the two away.',
  },
  'usage/too-large': {
    message: '{file} is larger than {most}, which no output of nvidia-smi is.',
    hint: 'Save one of: nvidia-smi -q -x, nvidia-smi -q, nvidia-smi.',
  },
  'usage/not-smi': {
    message: '{file} is no output of nvidia-smi that can be read: {problem}.',
    hint: 'On the other machine: nvidia-smi -q -x > FILE. Also understood: nvidia-smi, nvidia-smi -q, nvidia-smi -L, --query-gpu=… --format=csv.',
  },
  'usage/file-exists': { message: '{file} is there already.', hint: 'Name another file, or write over it with --force.' },
  'usage/not-a-log': {
    message: '{file} is no log: it holds bytes that are no text.',
    hint: 'Give what the engine printed: docker logs NAME 2>&1 | qwen-deploy explain --log -',
  },
  'usage/packed-log': {
    message: '{file} is packed with {packing}, which is not unpacked here.',
    hint: 'Unpack it on the way: {command} | qwen-deploy explain --log -',
  },
  'usage/unreadable-file': { message: '{file} cannot be read: {problem}.', hint: 'Check the path and its permissions.' },
  'usage/bad-version': { message: '"{version}" is not a version of vLLM.', hint: 'Write it as vLLM releases it, for example 0.32.0.' },
  'explain/unknown-code': { message: 'There is no code "{code}".{nearest}', hint: 'qwen-deploy explain --list shows all.' },
  'explain/unknown-flag': {
    message: 'vLLM {version} has no setting "{flag}", and no other version that is known here.{nearest}',
    hint: "Names are vLLM's long ones, without dashes in front.",
  },
  'explain/no-catalogue': {
    message: 'What vLLM {version} knows is not known here.',
    hint: 'The oldest is --engine-version {oldest}.',
  },
  'command/interrupted': {
    message: 'Interrupted.',
    hint: 'What was started goes on in the background: qwen-deploy status shows it, qwen-deploy down ends it.',
  },
  'confirm/needed': { message: '{question} (there is no terminal to ask)', hint: 'Answer with {option}.' },
  'confirm/declined': { message: 'Nothing was changed.', hint: '{option} goes on without asking.' },
  'ask/refused': { message: 'The engine refused the question: {problem}', hint: 'qwen-deploy logs {name} --tail 20' },
} as const;
