/** Reads the log of a start as it grows: phases, and whether it says anything new. */
import type { StartPhase } from '../../core/event.ts';
import { errnoOf } from '../../host/files.ts';
import { openTail, type Tail } from '../../host/tail.ts';
import { parseLogLine } from '../../vllm/log-line.ts';
import { emptyStartLog, reduceStartLog, type StartNews } from '../../vllm/start-log.ts';

/** Lines that a waiting engine repeats stand among others, so several are remembered. */
const remembered = 200;
const longestLine = 120;

export class StartLog {
  private readonly tail: Tail;
  private readonly onNews: (news: StartNews) => void;
  private state = emptyStartLog;
  private readonly known = new Set<string>();
  /** Complete lines so far, and those of them that had not been said before. */
  lines = 0;
  newLines = 0;
  /** The last line that was not said before, without its prefix. */
  last = '';

  constructor(path: string, onNews: (news: StartNews) => void) {
    this.tail = openTail(path);
    this.onNews = onNews;
  }

  get phase(): StartPhase {
    return this.state.phase;
  }

  /** Up to the present end of the log. */
  async read(): Promise<void> {
    do {
      for (const line of await readQuietly(this.tail)) this.take(line);
    } while (this.tail.behind);
  }

  /** Seen by other eyes before the log tells it: vLLM says nothing when a download begins. */
  noteDownload(): void {
    this.state = { ...this.state, phase: 'downloading' };
    this.onNews({ phase: 'downloading' });
  }

  private take(line: string): void {
    const { text } = parseLogLine(line);
    this.lines += 1;
    if (text.trim() !== '' && !this.known.has(text)) this.remember(text);
    const step = reduceStartLog(this.state, line);
    this.state = step.state;
    if (step.news) this.onNews(step.news);
  }

  private remember(text: string): void {
    this.newLines += 1;
    this.last = text.split('\n', 1)[0]?.slice(0, longestLine) ?? '';
    this.known.add(text);
    for (const oldest of this.known) {
      if (this.known.size <= remembered) return;
      this.known.delete(oldest);
    }
  }
}

/** Phases are for the eye: a log that cannot be read right now does not hold up the gate. */
async function readQuietly(tail: Tail): Promise<readonly string[]> {
  try {
    return await tail.readLines();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}
