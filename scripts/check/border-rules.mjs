// Who may import whom, as data. Types are free; this is about values. CONTRIBUTING tells what each room is for.

/** Room of src/ → rooms and packages that its files may import. */
export const rooms = {
  core: { rooms: [], packages: ['fastest-levenshtein'] },
  host: { rooms: ['core'], packages: ['execa', 'dockerode'] },
  text: { rooms: ['core'], packages: [] },
  vllm: { rooms: ['core'], packages: ['zod'] },
  model: { rooms: ['core'], packages: ['zod'] },
  gpu: { rooms: ['core'], packages: ['zod', 'saxes'] },
  profile: { rooms: ['core', 'vllm', 'model'], packages: ['yaml', 'zod', 'unbash'] },
  engine: { rooms: ['core', 'host'], packages: [] },
  plan: { rooms: ['core', 'profile', 'model', 'vllm', 'gpu', 'engine'], packages: [] },
  runtime: { rooms: ['core', 'host', 'plan'], packages: [] },
  supervisor: { rooms: ['core', 'host', 'runtime', 'plan', 'vllm', 'gpu'], packages: [] },
  control: { rooms: ['core', 'host', 'supervisor'], packages: [] },
  render: { rooms: ['core', 'plan'], packages: ['yaml'] },
  bench: { rooms: ['core', 'host', 'vllm'], packages: [] },
  gateway: { rooms: ['core', 'host', 'vllm'], packages: [] },
  doctor: { rooms: ['core', 'host', 'profile', 'model', 'vllm', 'gpu', 'engine', 'plan'], packages: ['modern-tar'] },
  operate: {
    rooms: [
      'core',
      'host',
      'profile',
      'model',
      'vllm',
      'gpu',
      'engine',
      'plan',
      'runtime',
      'supervisor',
      'control',
      'render',
      'bench',
      'gateway',
      'doctor',
      'text',
    ],
    packages: [],
  },
  views: { rooms: ['core', 'text'], packages: ['ora', 'ink', 'react', 'get-east-asian-width'] },
  entry: { rooms: ['commands', 'host'], packages: [] },
  commands: { rooms: ['operate', 'views', 'text', 'core'], packages: ['commander'] },
};

/** The few files of rooms without I/O that observe the world. */
export const observers = [
  'src/profile/load.ts',
  'src/profile/recall.ts',
  'src/profile/files.ts',
  'src/profile/find.ts',
  'src/profile/shelf.ts',
  'src/plan/facts.ts',
  'src/plan/port-facts.ts',
  'src/plan/docker-facts.ts',
  'src/plan/mounts.ts',
  'src/gpu/query.ts',
  'src/gpu/program.ts',
  'src/gpu/sysfs.ts',
  'src/model/checkpoint.ts',
];

/** Where a program begins: it wires the rooms together, and nobody imports it. */
export const entries = ['src/main.ts', 'src/status-main.ts', 'src/runtime/simulator/main.ts'];

/** Who owns signals and the exit. */
export const owners = ['src/entry/process.ts', 'src/runtime/simulator/main.ts'];

/** Package → the one file that knows it. */
export const doors = {
  execa: ['src/host/exec.ts'],
  dockerode: ['src/host/docker/wire.ts'],
  'modern-tar': ['src/doctor/bundle.ts'],
  ora: ['src/views/spinner.ts'],
  unbash: ['src/profile/import/shell.ts'],
};

/** Node's own modules that touch the world → where they may be used (a folder ends in `/`). */
export const nodeModules = [
  { modules: ['child_process', 'cluster', 'worker_threads'], places: ['src/host/'] },
  {
    modules: ['http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'dns/promises'],
    places: ['src/host/', 'src/control/', 'src/runtime/', 'src/gateway/'],
  },
  {
    modules: ['fs', 'fs/promises'],
    places: [
      'src/host/',
      'src/runtime/',
      'src/supervisor/',
      'src/control/',
      'src/engine/',
      'src/doctor/',
      'src/operate/',
      'src/bench/',
      'src/gateway/',
      ...observers,
    ],
  },
];
