/** How this run talks: chosen once, from what was asked and where the output goes. */
export const outputModes = ['auto', 'tty', 'plain', 'json', 'quiet'] as const;
export type AskedOutput = (typeof outputModes)[number];
export type OutputMode = Exclude<AskedOutput, 'auto'>;

export interface Output {
  readonly mode: OutputMode;
  readonly colors: boolean;
  /** Whether lines on stderr may be redrawn. */
  readonly live: boolean;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Width of the terminal; 0 when it does not know (a bare pty), and then nothing can be redrawn. */
  readonly columns?: number;
}

/** `plain` on request means no escape codes at all; `plain` found by `auto` still honours FORCE_COLOR. */
export function chooseOutput(asked: AskedOutput, { env, stdoutIsTerminal, stderrIsTerminal, columns }: Surroundings): Output {
  const dumb = env.TERM === 'dumb';
  const interactive = stdoutIsTerminal && stderrIsTerminal && !dumb && !isOn(env.CI);
  const mode = asked === 'auto' ? (interactive ? 'tty' : 'plain') : asked;
  const colorful = mode === 'tty' ? !dumb || isOn(env.FORCE_COLOR) : asked === 'auto' && isOn(env.FORCE_COLOR);
  return {
    mode,
    colors: colorful && !env.NO_COLOR && env.FORCE_COLOR !== '0',
    live: mode === 'tty' && stderrIsTerminal && !dumb && columns !== 0,
  };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
