/** Profiles, what they come to, and the models that they name. */
export const profileErrors = {
  'profile/unknown': {
    message: 'There is no profile "{name}".{nearest}',
    hint: 'qwen-deploy profiles list shows all; a path must start with . or / or end in .yaml.',
  },
  'profile/unreadable': { message: 'The profile {file} cannot be read: {problem}', hint: 'Check the path and its permissions.' },
  'profile/invalid': {
    message: 'The profile {source} cannot be used (problems: {count}).',
    hint: 'Every setting, in a profile that can: qwen-deploy profiles show tiny --explain',
  },
  'profile/cycle': { message: 'Profiles extend each other in a circle: {chain}.', hint: 'Remove one of these extends.' },
  'profile/exposed': {
    message: 'server.host {host} is open to the network, and {problem}.',
    hint: '{mend}',
  },
  'plan/refused': {
    message: '{name} cannot work here: {count} of its settings do not go with this machine.',
    hint: 'Each is named with what to change; qwen-deploy plan shows the rest.',
  },
  'model/adapter': {
    message: 'The LoRA adapter {name} cannot be used: {path} {problem}.',
    hint: 'Each path below lora must be a directory with adapter_config.json and adapter_model.safetensors.',
  },
  'model/missing': {
    message: 'The model directory {path} {problem}.',
    hint: 'model.path must be a directory with config.json and weights.',
  },
} as const;
