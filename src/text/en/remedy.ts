/** Sentences of `up --fix`, `up --skip-preflight` and `restart --reset`. */
export const remedy = {
  'remedy.unchecked': 'not heeded, as asked: {text}',
  'remedy.failed': '{name} did not start: {why}',
  'remedy.again': 'Starting again, for this deployment alone, with',
  'remedy.proposal': 'It may start with',
  'remedy.change': '  {path}: {from} → {to}',
  'remedy.question': 'Start {name} again with that? The profile stays as it is.',
  'remedy.hint': 'qwen-deploy up {name} --fix makes this change and starts again.',
  'remedy.kept': '{path} is {to} instead of {from}, because {because}; qwen-deploy restart {name} --reset undoes that',
  'remedy.dropped': '{path}: what --fix had made of it for {name} ({from} → {to}) is dropped, because something else is asked for now',
  'remedy.was-tried': '{path} {to} for {because}',
  'remedy.list': '{first}; {rest}',
  'remedy.written': '{file} has it now; as it was, it is kept as {backup}',
  'remedy.shipped':
    '{name} is a shipped profile and stays as it is. Make one of your own (qwen-deploy profiles init), or give {sets} each time; this deployment keeps it anyway.',
  'remedy.same-text': '{file} says so already',
  'remedy.reset': '{name} is started again as it was asked for, without {path} {to}',
  'remedy.no-reset': '{name} has nothing to be undone; it runs as it was asked for',

  'commands.up.fix': 'when it fails and the cure is known, change that for this deployment and start again',
  'commands.up.write': 'with --fix: put the change into the profile too, once it is ready',
  'commands.up.skip-preflight': 'start also what would be refused, with a warning for each refusal',
  'commands.restart.reset': 'undo what --fix has changed',

  'views.label.running': 'runs with',
  'views.running': '{path} {to} instead of {from}, because {because}',
} as const;
