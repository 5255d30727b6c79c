/**
 * Recorded logs with a cause that are no start with a wrong setting: what they are, and where the like is played. What
 * their logs tell, `npm run bench:diagnosis` shows.
 */
export const elsewhere: Readonly<Record<string, string>> = {
  'hang-worker': 'a hang: test/vllm/hangs.test.ts',
  'kill-api': 'killed while it serves, of which the log says nothing: A1 of test/faults, test/vllm/supervision.ts',
  'kill-engine': 'killed while it serves: A3, test/vllm/supervision.ts',
  'kill-engine-idle': 'killed while it serves: A3, test/vllm/supervision.ts',
  'kill-engine-idle-untouched': 'killed while it serves: A3, test/vllm/supervision.ts',
  'kill-worker': 'killed while it serves: A4, test/vllm/supervision.ts',
  'kill-worker-idle': 'killed while it serves: A4, test/vllm/supervision.ts',
  'kill-worker-idle-untouched': 'killed while it serves: A4, test/vllm/supervision.ts',
  'start-kill-enginecore-during-start': 'killed while it starts: A11 of test/faults',
  'start-kill-worker-during-start': 'killed while it starts: A11 of test/faults',
};
