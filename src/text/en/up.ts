/** Sentences of starting, stopping and supervising. */
export const up = {
  'life.port-taken': 'port {port} on {host} is taken',
  'life.bad-address': 'the address {host}:{port} cannot be used',
  'life.model-missing': 'the model directory {path} is gone',
  'life.disk-full': 'the disk of {path} is full',
  'life.persistence-degraded':
    'state cannot be written ({problem}); serving goes on, but a restart of the supervisor would forget what happened since',
  'life.persistence-restored': 'state is written again',
  'life.state-lost': 'the state file was damaged and is kept as {kept}; beginning anew',
  'life.work-failed': 'trouble of ours at "{work}", not of the engine: {problem}',
  'life.memory-cap': 'the memory cap could not be set here ({problem}); the engine runs without it',

  'up.engine-ready': '{engine} is installed',
  'up.engine-external': '{program} (vLLM {version})',
  'up.engine-missing': '{engine} is not installed yet; installing it first (once, about {size})',
  'up.simulator': 'built-in simulator (simulated, no model is loaded)',
  'up.model-made': 'miniature Qwen3 with random weights (its answers are noise)',
  'up.planned': '{name} · {engine} · {backend} · {host}:{port}',
  'up.unchanged': '{name} already runs with exactly this configuration',
  'up.joined': 'another qwen-deploy up is starting {name}; following it',
  'up.new-supervisor': 'a new supervisor (process {pid}) took over {name}',
  'up.change': '{path}: {from} → {to}',
  'up.replace-question': '{name} runs with another configuration (changes: {count}). Stop it and start the new one?',
  'up.interrupted':
    'Interrupted. {name} goes on starting in the background: qwen-deploy status {name}, or qwen-deploy down {name} to stop it.',
  'up.background': '{name} starts in the background: qwen-deploy status {name} --watch',
  'down.interrupted': 'Interrupted. {name} goes on stopping in the background: qwen-deploy status {name}.',
  'down.here': 'No supervisor could be started ({problem}); stopping {name} from here.',
  'status.silent': 'The supervisor of {name} does not answer; shown is what it wrote down last.',
  'status.unreadable': '{name} is left out: its state cannot be read ({problem}).',
  'foreground.stopping': 'Stopping {name}; once more ends it at once.',
} as const;
