/** What each setting of a profile is for, by its path; `*` stands for a free name. Editors and the reference show it. */
export const settings = {
  'setting.extends':
    'Profiles that this one builds on: a name, a path that begins with a dot or a slash or ends in .yaml, or a list of them, later ones over earlier ones.',
  'setting.description': 'What the profile is for, in a line; profiles list shows it.',
  'setting.model':
    'What is served: a Hub id, the path of a checkpoint (beginning with a dot, a slash or ~), or a map that says more. Required, here or in a parent.',
  'setting.model.id': 'Hub id of the model; for a local checkpoint the name that it goes by.',
  'setting.model.source':
    'Where the weights come from: hub, local (a directory), or miniature (a random model made on the spot, for tests). Follows from path.',
  'setting.model.revision': 'Branch, tag or commit of the Hub; pins what is served.',
  'setting.model.path': 'Directory of a local checkpoint with config.json and weights; relative to the file that says so.',
  'setting.model.tokenizer': 'Hub id or path of the tokenizer where it is not in the checkpoint.',
  'setting.served-names':
    'Names that clients may use in their requests; the first is the one in answers. The id of the model when left out.',
  'setting.quantization':
    'How the weights are stored. auto is what the checkpoint says; a method makes vLLM quantize while loading, or insists on one.',
  'setting.engine': 'Which vLLM, and how it runs.',
  'setting.engine.version':
    'Version of vLLM, in quotes: 0.30 without them is the number 0.3. The settings below vllm are checked against exactly this one.',
  'setting.engine.variant': 'gpu or cpu build of vLLM. gpu, unless resources.gpus is none.',
  'setting.engine.backend':
    'How the engine is run: process (an environment of its own), docker, simulator (no engine at all), or auto, which chooses.',
  'setting.engine.executable': 'Path of a vllm program to use instead of an environment that this program installs.',
  'setting.engine.image': 'Container image of vLLM for the docker backend.',
  'setting.engine.mounts':
    'Files and directories of this machine for containers: SOURCE:TARGET, both absolute, read-only unless :rw is added.',
  'setting.engine.env':
    'Variables of the engine. Names that end in TOKEN, KEY, SECRET or PASSWORD take a reference (env:NAME or file:PATH), never the secret itself.',
  'setting.engine.env.*': 'Text or a whole number.',
  'setting.vllm':
    "vLLM's own settings by their long names without dashes, checked against engine.version. A switch is turned off by false; null takes away what a parent gave.",
  'setting.resources': 'What of the machine the engine may use.',
  'setting.resources.gpus':
    'auto (the best one, or as many as it spreads over), none (a CPU engine), how many, or a list of indexes and UUIDs. none when engine.variant is cpu.',
  'setting.resources.cpus':
    'CPUs that the engine may run on: all, a Linux list such as 0-3,6, or auto: those on the NUMA nodes of its GPUs.',
  'setting.resources.memory': 'Most main memory; what needs more is ended by the kernel. No limit when left out.',
  'setting.resources.shm': 'Shared memory of a container; tensor parallelism needs some GiB.',
  'setting.resources.nice': 'Priority of the processes, from -20 (first) to 19 (last).',
  'setting.resources.pids': 'Most processes and threads.',
  'setting.resources.nofile': 'Most open files of a process.',
  'setting.server': 'Where clients reach it.',
  'setting.server.host': 'Address to listen on. 127.0.0.1 is this machine only; 0.0.0.0 is everybody who reaches it, and needs api-key.',
  'setting.server.port': 'TCP port of the OpenAI-compatible API. Replicas take the ports after it.',
  'setting.server.api-key':
    'Key that clients must send, by reference: env:NAME, or file:PATH of a file that nobody else can read. A literal key is refused.',
  'setting.thinking':
    'Whether Qwen3 thinks before it answers: on, off, or request (the client decides). A request may always say otherwise.',
  'setting.health': 'When it counts as ready, and as ill.',
  'setting.health.start-deadline':
    'From launch to ready; downloads of the model are part of it. While there are signs of life it is put off, up to four times as long and two hours.',
  'setting.health.start-stall-after':
    'A start without any sign of life (log, CPU time, disk, new processes) for so long is ended; 0s: only by the deadline.',
  'setting.health.download-stall-after': 'A download of the model of which no byte comes for so long ends the start; 0s: never.',
  'setting.health.gate-timeout': 'How long the questions asked before ready may fail once the server answers at all.',
  'setting.health.first-token-timeout': 'Longest wait for the one token that proves that the model answers.',
  'setting.health.interval': 'Between two looks at a ready engine.',
  'setting.health.timeout': 'Longest wait for the answer to such a look.',
  'setting.health.chat': 'Whether a chat is tried before ready. false for base models without a chat template.',
  'setting.health.stall-after':
    'How long requests may make no progress at all before one token is asked for; when that does not come either, the engine is ended and started again.',
  'setting.health.canary-interval': 'How often an idle engine is asked for one token, to notice that it hangs; 0s: never.',
  'setting.restart': 'What happens when it fails by itself.',
  'setting.restart.max-failures': 'Failures in a row before it is left in a crash loop, with long pauses.',
  'setting.restart.first-delay': 'Pause before the first restart; it doubles with each failure.',
  'setting.restart.max-delay': 'Longest pause between two restarts.',
  'setting.restart.stable-after': 'Ready without a break for so long, failures count from zero again.',
  'setting.stop': 'How it is stopped.',
  'setting.stop.drain': "Time that running requests get to end; also vLLM's --shutdown-timeout.",
  'setting.logs': 'How much is kept of what the engine writes.',
  'setting.logs.max-size': 'Above this the log is cut: its beginning becomes a piece of its own, and the logs command shows them as one.',
  'setting.logs.keep': 'Pieces that are kept beside the present one; the oldest goes first.',
  'setting.notify':
    'Whom to tell when something happens to it, by a command or a webhook. Whatever goes wrong with that is a note in events and nothing else; to change it restarts nothing.',
  'setting.notify.*': 'One of command and webhook, and on.',
  'setting.notify.*.on':
    'What to tell of: ready, failed (it gave up), crashloop, degraded (slow), unhealthy (it hangs), restarted (ready again without being asked), stopped.',
  'setting.notify.*.command':
    'Program and arguments, never a shell line. {deployment}, {event}, {state} and {cause} in them are filled in; the event comes as JSON on standard input, and the same four as QWEN_DEPLOY_DEPLOYMENT, QWEN_DEPLOY_EVENT, QWEN_DEPLOY_STATE and QWEN_DEPLOY_CAUSE.',
  'setting.notify.*.webhook':
    'Address that the event is posted to as JSON: https://… (http:// for this machine alone), or a reference (env:NAME, file:PATH) where the address itself is a secret. Tried three times when it is busy or silent.',
  'setting.notify.*.headers': 'Headers of the request. Those that hold keys take a reference (env:NAME or file:PATH).',
  'setting.notify.*.headers.*': 'Text, or a reference.',
  'setting.notify.*.timeout': 'Longest time for the command, which is then ended, or for one try of the webhook. 10s when left out.',
  'setting.adapt':
    'Under pressure, steps to a lighter profile, and back when it is over. Off where it is left out; to change it restarts nothing. Each step starts the engine anew.',
  'setting.adapt.when': 'The limits. One that is reached for long enough makes a step.',
  'setting.adapt.when.cpu': 'Busy share of all CPUs, or of those of resources.cpus.',
  'setting.adapt.when.host-memory':
    'Used share of the memory of the machine; with resources.memory, of that cap (file cache that can be dropped does not count).',
  'setting.adapt.when.gpu-memory': 'Used share of the fullest GPU of the deployment, by whomever.',
  'setting.adapt.when.gpu-temperature': 'Of the hottest GPU of the deployment, °C.',
  'setting.adapt.when.queue-wait':
    'How long requests waited for their turn, on average since the last look; or how long some have been waiting while none got it.',
  'setting.adapt.for': 'How long one limit must be reached without a break.',
  'setting.adapt.back-below': 'Share of each limit that all must stay under for a step back.',
  'setting.adapt.back-after': 'How long they must stay under it.',
  'setting.adapt.least-stay': 'After a step nothing happens sooner.',
  'setting.adapt.most-steps': 'Steps in 24 hours, there and back. After that it stays where it is and says so.',
  'setting.adapt.steps':
    'Names or paths of lighter profiles, the lightest last. Address, key and served names are those of this profile; --set is not for them.',
  'setting.lora': 'LoRA adapters that are served beside the model, by the names that clients use.',
  'setting.lora.*': 'Directory or Hub id of the adapter, or a map that says more.',
  'setting.lora.*.path': 'Directory or Hub id of the adapter.',
  'setting.lora.*.base-model': 'Named as its parent in the list of models; the served model when left out.',
  'setting.replicas':
    'How many deployments up makes of it, NAME-1 and on, on ports in a row. On one GPU their shares of memory must fit together.',
  'setting.labels': 'Your own notes, kept with the deployment; they change nothing.',
  'setting.labels.*': 'Text.',
  'setting.fallback':
    'What to try, in this order, when it does not start: each step is settings as a profile has them (not server, served-names, labels, replicas, notify), or profile alone. Taken only for a cause that it may cure, and once until restart --reset. max-model-len of a step may be estimated: the length that vLLM says there is room for.',

  'setting.title': 'Profile of qwen-deploy, for vLLM {version}',
  'setting.about':
    'Every block is optional, and null takes away what a parent gave. Keys that begin with x- are yours, for anchors. Reference: docs/profiles.md.',
  'setting.flag': 'Value: {kind}. {default}{deprecated} ({group}, vLLM {version})',
  'setting.flag.default': 'Default: {value}.',
  'setting.flag.depends': 'Default: vLLM decides, by model, machine and other settings.',
  'setting.flag.unset': 'Not set by default.',
  'setting.flag.deprecated': ' Deprecated.',
  'setting.flag.deprecated-until': ' Deprecated; {removal} is to remove it.',
} as const;
