/** Deployments: their records, their supervisors and units, up and down. */
export const deploymentErrors = {
  'deployment/left': {
    message: 'There is no deployment "{name}" any more, and a container of it: {container}.',
    hint: 'qwen-deploy forget {name} ends and removes it; so does the next qwen-deploy up of that name.',
  },
  'deployment/unknown': { message: 'There is no deployment "{name}".{nearest}', hint: 'qwen-deploy status lists what there is.' },
  'deployment/none': { message: 'There is no deployment.', hint: 'qwen-deploy up starts one.' },
  'deployment/several': { message: 'There are several deployments: {names}.', hint: 'Say which one: qwen-deploy {command} NAME' },
  'deployment/bad-name': {
    message: '"{name}" cannot be the name of a deployment.',
    hint: 'Use 1 to 63 lower-case letters, digits and dashes, beginning with a letter.',
  },
  'deployment/not-running': { message: '{name} is not ready (it is {state}).', hint: 'qwen-deploy up -p {profile}' },
  'deployment/is-up': { message: '{name} is not down.', hint: 'qwen-deploy down {name} first.' },
  'state/not-writable': {
    message: 'The directory {path} cannot be used: {problem}.',
    hint: 'Give it to this user (uid {uid}), or choose another place with QWEN_DEPLOY_HOME=DIR.',
  },
  'state/unsafe': {
    message: 'The directory {path} {problem}, so anybody could change what is started from it.',
    hint: 'chmod 700 {path}',
  },
  'state/link': {
    message: '{path} is a symbolic link, so somebody else could choose what is read or written there.',
    hint: 'See who made it (ls -l {path}), then rm {path}',
  },
  'state/newer': {
    message: 'The state of {name} was written by a newer qwen-deploy (schema {found}, this one knows {known}).',
    hint: 'Use the newer version, or qwen-deploy forget {name} once the deployment is down.',
  },
  'state/corrupt': {
    message: 'The state of {name} cannot be read: {problem}.',
    hint: 'It is kept as {kept}. qwen-deploy up ends what still runs of {name} and starts it anew; qwen-deploy forget {name} drops it.',
  },
  'supervisor/no-start': { message: 'The supervisor of {name} did not come up: {problem}', hint: 'Its log: {log}' },
  'supervisor/gone': {
    message: 'The supervisor of {name} ended while this command was waiting for it.',
    hint: 'qwen-deploy status {name} shows what is left; qwen-deploy up starts a new supervisor.',
  },
  'supervisor/silent': {
    message: 'The supervisor of {name} does not answer (waited {waited}).',
    hint: 'qwen-deploy logs {name} --supervisor shows what it said last. If it hangs, end it with kill -9: the engine serves on, and qwen-deploy up starts a new supervisor.',
  },
  'supervisor/running': { message: '{name} is already supervised by process {pid}.', hint: 'qwen-deploy status {name}' },
  'supervisor/protocol': {
    message: 'The supervisor of {name} answered {problem}.',
    hint: 'It may be of another version: qwen-deploy down {name}, then up.',
  },
  'unit/none': { message: 'No deployment has a unit of systemd.', hint: 'qwen-deploy install NAME makes one.' },
  'unit/unknown': { message: 'There is no unit for "{name}".{nearest}', hint: 'qwen-deploy install {name} makes one.' },
  'unit/unwritable': {
    message: 'The path {value} cannot be written into a unit of systemd.',
    hint: 'Move it to one without control characters, without space at its ends and without a backslash at the last place.',
  },
  'unit/refused': {
    message: 'systemd-analyze would not take {unit}: {problem}',
    hint: 'Nothing was changed. An older systemd (before 244) cannot do this; systemctl --version says which one it is.',
  },
  'unit/systemctl': {
    message: 'systemctl --user {command} failed: {problem}',
    hint: 'What is wrong: systemctl --user status and journalctl --user -n 20. If nothing supervises now, qwen-deploy up NAME does.',
  },
  'unit/not-active': {
    message: '{unit} did not stay up.',
    hint: 'Its log: journalctl --user -u {unit} -n 20. The engine serves on; qwen-deploy status {name} says whether it is supervised.',
  },
  'unit/handover': {
    message: 'The supervisor of {name} (process {pid}) cannot be relieved: {problem}.',
    hint: 'If it hangs, end it with kill -9 {pid}: the engine serves on. Then run qwen-deploy install {name} again.',
  },
  'up/timed-out': {
    message: '{name} was not ready after {waited}; it goes on starting in the background.',
    hint: 'qwen-deploy status {name} --watch',
  },
  'down/timed-out': {
    message: '{name} was not proven stopped after {waited}; stopping goes on in the background.',
    hint: 'qwen-deploy down {name} --force ends it at once.',
  },
  'down/removal-owed': {
    message: 'No process of {name} is left, and its container {container} is still to be removed: Docker cannot be asked ({problem}).',
    hint: 'Its supervisor removes it as soon as Docker answers, and starts nothing before. Is Docker there? systemctl status docker. Then, to see it done: qwen-deploy down {name}',
  },
  'down/out-of-sight': {
    message: 'Whether {name} has stopped is not known: Docker, which runs its container {container}, cannot be asked ({problem}).',
    hint: 'Its supervisor ends and removes it as soon as Docker answers, and starts nothing before. Is Docker there? systemctl status docker. Then, to see it done: qwen-deploy down {name}',
  },
  'down/overtaken': {
    message: '{name} was asked to be up again (by {by}) while this command waited for its end.',
    hint: 'qwen-deploy status {name}',
  },
} as const;
