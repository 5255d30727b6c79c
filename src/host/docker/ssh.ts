/**
 * An engine over ssh, as Docker's own program does it: each connection is a run of the person's `ssh`, which has their
 * keys, agent and configuration, and on the other machine `docker system dial-stdio` carries it to the socket.
 */
import { spawn } from 'node:child_process';
import { Agent, type ClientRequestArgs } from 'node:http';
import { Duplex } from 'node:stream';

export interface SshPlace {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** Of the socket on the other machine, where it is not the usual one. */
  readonly path?: string;
}

export function createSshAgent(place: SshPlace): Agent {
  return new SshAgent(place);
}

class SshAgent extends Agent {
  private readonly place: SshPlace;

  constructor(place: SshPlace) {
    super();
    this.place = place;
  }

  override createConnection(_options: ClientRequestArgs): Duplex {
    return connect(this.place);
  }
}

const wordsCap = 4096;

function connect(place: SshPlace): Duplex {
  const child = spawn('ssh', toSshArguments(place), { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-wordsCap);
  });
  // Why nothing can be written any more is said by its end.
  child.stdin.on('error', () => undefined);
  const duplex = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => void (duplex.push(chunk) || child.stdout.pause()));
  child.once('error', (error) => void duplex.destroy(new Error(`ssh: ${error.message}`)));
  // Not already when its output ends: then its words are not all here yet.
  child.once('close', (code) => {
    if (code === 0) duplex.push(null);
    else duplex.destroy(new Error(words.trim() || `ssh ended with ${code}`));
  });
  return duplex;
}

/** No question can be answered here, and there would be one for each connection: so ssh must not ask. */
function toSshArguments({ host, user, port, path }: SshPlace): readonly string[] {
  return [
    ...['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', host, 'docker'],
    ...(path === undefined ? [] : ['--host', `unix://${path}`]),
    ...['system', 'dial-stdio'],
  ];
}
