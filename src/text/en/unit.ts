/** Units of systemd: `install`, `uninstall`, and supervisors that systemd has started. */
export const unit = {
  'unit.differs': '{path} is there and says something else:',
  'unit.line': '{line}',
  'unit.confirm': 'Write {unit} anew?',
  'unit.handover': 'the supervisor of {name} (process {pid}) has let go for {unit}; the engine serves on',
  'unit.not-verified': 'The unit could not be verified: {problem}.',
  'unit.no-manager': 'systemd does not run here for {user}: the unit is written, and where it runs, these commands put it to work.',
  'unit.no-secrets':
    'No value for {variables} in {path}: after a reboot the engine could not be started. Write it there (NAME=value), then install again.',
  'unit.open-secrets': 'Others can read {path}: chmod 600 {path}',
  'unit.also-secret':
    '{variables}: set in this shell, secret, and not written into the unit. If the engine needs it, write it into {path} (NAME=value).',
  'unit.idle': '{name} is down: nothing to supervise now, and up starts the unit.',
  'unit.lingers': 'Lingering is on for {user}: it starts at boot, and a logout ends nothing.',
  'unit.lingers-not': 'Lingering is off for {user}: it starts at the first login, and the last logout ends supervisor and engine.',
  'unit.linger-unknown':
    'Whether lingering is on for {user} is not known. Without it the unit starts at the first login and ends at the last logout.',
  'unit.goes-on': '{name} goes on as it is. After a reboot it has to be started: qwen-deploy up',
  'unit.not-told': 'systemd could not be told how it is: {problem}',
  'unit.start-failed': '{unit} could not be started ({problem}): supervised without systemd',

  'unit.enabled-active': 'enabled, and supervises now',
  'unit.enabled': 'enabled',
  'unit.written': 'written, not enabled',
  'unit.unchanged': 'as it was, not enabled',
  'unit.removed': 'removed',
  'unit.verified': 'verified by systemd-analyze',
  'unit.problem': 'problem',
  'unit.next': 'next',
} as const;
