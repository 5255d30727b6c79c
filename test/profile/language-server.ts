/** The YAML language server that editors run, spoken to as an editor does: JSON-RPC over its standard streams. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Diagnostic {
  readonly range: { readonly start: Position };
  readonly message: string;
}

export interface LanguageServer {
  /** Resolves to what the server has against the file. */
  open(path: string, text: string): Promise<readonly Diagnostic[]>;
  complete(path: string, position: Position): Promise<readonly { readonly label: string }[]>;
  hover(path: string, position: Position): Promise<string>;
  end(): Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly uri?: string; readonly diagnostics?: readonly Diagnostic[]; readonly items?: readonly unknown[] };
  readonly result?: unknown;
  readonly error?: unknown;
}

export async function startLanguageServer(directory: string): Promise<LanguageServer> {
  const manifest = createRequire(import.meta.url).resolve('yaml-language-server/package.json');
  const child = spawn(process.execPath, [join(dirname(manifest), 'bin/yaml-language-server'), '--stdio']);
  const waiting = new Map<number, (reply: Reply) => void>();
  const diagnosed = new Map<string, (found: readonly Diagnostic[]) => void>();
  let calls = 0;
  const send = (message: object) => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const call = async (method: string, params: object) => {
    const id = ++calls;
    const reply = await new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
      send({ id, method, params });
    });
    if (reply.error !== undefined) throw new Error(`${method}: ${JSON.stringify(reply.error)}`);
    return reply.result;
  };
  onMessage(child, (message) => {
    const { id, method, params } = message;
    if (id !== undefined && method !== undefined) {
      send({ id, result: method === 'workspace/configuration' ? (params?.items ?? []).map(() => ({})) : null });
    } else if (id !== undefined) waiting.get(id)?.(message);
    else if (method === 'textDocument/publishDiagnostics') diagnosed.get(params?.uri ?? '')?.(params?.diagnostics ?? []);
  });
  await call('initialize', { processId: process.pid, rootUri: pathToFileURL(directory).href, capabilities: {} });
  send({ method: 'initialized', params: {} });
  // Nothing is looked up on the network.
  const yaml = { validate: true, hover: true, completion: true, schemaStore: { enable: false } };
  send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml } } });
  const at = (path: string, position: Position) => ({ textDocument: { uri: pathToFileURL(path).href }, position });
  return {
    open(path, text) {
      const uri = pathToFileURL(path).href;
      const found = new Promise<readonly Diagnostic[]>((resolve) => diagnosed.set(uri, resolve));
      send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
      return found;
    },
    async complete(path, position) {
      return ((await call('textDocument/completion', at(path, position))) as { items: readonly { label: string }[] }).items;
    },
    async hover(path, position) {
      return ((await call('textDocument/hover', at(path, position))) as { contents: { value: string } }).contents.value;
    },
    async end() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

function onMessage(child: ChildProcessWithoutNullStreams, take: (message: Reply) => void): void {
  let buffer = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const head = buffer.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, Math.max(head, 0)).toString())?.[1]);
      if (head < 0 || buffer.length < head + 4 + length) return;
      const message = JSON.parse(buffer.subarray(head + 4, head + 4 + length).toString()) as Reply;
      buffer = buffer.subarray(head + 4 + length);
      take(message);
    }
  });
}
