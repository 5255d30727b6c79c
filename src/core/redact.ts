/**
 * Takes out of a text what must not leave the machine. Values that are known to be secret go wherever they stand;
 * what only looks like one goes by its form or by the name in front of it. Rather too much than too little.
 */

export interface RedactFacts {
  /** Secrets by value: of references in profiles, of variables with such names. */
  readonly secrets: readonly string[];
  readonly home: string;
  readonly hostname: string;
}

export function createRedactor({ secrets, home, hostname }: RedactFacts): (text: string) => string {
  const known = toAlternatives(secrets.filter(isWorthHiding).flatMap(toForms));
  const homes = home.length > 1 ? new RegExp(`${toPattern(home.replace(/\/+$/, ''))}(?![\\w-])`, 'g') : undefined;
  const host = isTelling(hostname) ? new RegExp(`(?<![A-Za-z0-9])${toPattern(hostname)}(?![A-Za-z0-9])`, 'gi') : undefined;
  return (text) => {
    const plain = known === undefined ? text : text.replace(known, hidden);
    const formless = forms.reduce((rest, [form, replacement]) => rest.replace(form, replacement), plain);
    const homeless = homes === undefined ? formless : formless.replace(homes, '~');
    const nameless = homeless.replace(/(?<=\/(?:home|Users)\/)[^/\s"'\\:<>]+/g, 'USER');
    return host === undefined ? nameless : nameless.replace(host, 'HOST');
  };
}

/**
 * For what is shown on this machine: keys go, paths and names stay. A line without a word that could announce a key,
 * and without a value that is known, is passed on as it is: a log has many.
 */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const known = toAlternatives(secrets.filter(isWorthHiding).flatMap(toForms));
  return (text) => {
    const plain = known === undefined ? text : text.replace(known, hidden);
    return hints.test(plain) ? forms.reduce((rest, [form, replacement]) => rest.replace(form, replacement), plain) : plain;
  };
}

const hidden = '[REDACTED]';

/** Each of `forms` has one of these in it. */
const hints = /key|token|secret|passw|credential|authorization|bearer|:\/\/|hf_|api_org_|[srp]k-|gh[a-z]_|akia|serial/i;

/** A secret's usual names, as the last part of a name: `HF_TOKEN`, `api-key`, `apiKey`. Bounded: a log may be one long word. */
const names = String.raw`[\w-]{0,64}(?:api[_-]?key|apikey|token|secret|passw(?:or)?d|credentials?)`;

const forms: readonly (readonly [RegExp, string])[] = [
  // Whole keys of several lines.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, hidden],
  // The rest of a line of a header; in JSON, to the end of its text.
  [/\b((?:proxy-)?authorization["']?\s*[:=](?!\s*[{[])\s*["']?)[^\r\n"'\\]+/gi, `$1${hidden}`],
  [/\b(bearer\s+)[\w.~+/=-]{8,}/gi, `$1${hidden}`],
  [/\b((?:x-)?api-key["']?\s*:(?!\s*(?:[{[]|["']?(?:env|file):))\s*["']?)[^\r\n"'\\,}\]]+/gi, `$1${hidden}`],
  // user:password@, and a bare token@.
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^/\s"'@]+@/gi, `$1${hidden}@`],
  // `--api-key VALUE`, `HF_TOKEN=VALUE`, `"token": "VALUE"`, `'api_key': ['VALUE']`. Numbers are counts of tokens.
  [new RegExp(String.raw`(--${names}(?:\s+|=)["']?)(?!-)[^\s"'\\,]+`, 'gi'), `$1${hidden}`],
  [new RegExp(String.raw`\b(${names}["']?\s*[:=]\s*\[?["']?)(?!\d+(?:\.\d+)?\b|REDACTED\])[\w.~+/=-]{8,}`, 'gi'), `$1${hidden}`],
  // As they are given out: of the hub, of APIs, of GitHub and of Amazon.
  [/(?<![A-Za-z0-9_-])(?:hf|api_org)_[A-Za-z0-9]{16,}/g, hidden],
  [/(?<![A-Za-z0-9_-])(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}/g, hidden],
  [/(?<![A-Za-z0-9_-])gh[a-z]_[A-Za-z0-9]{20,}/g, hidden],
  [/(?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])/g, hidden],
  // What nvidia-smi says of a card that a receipt would say too.
  [/(<serial>|Serial Number\s*: )[^<\n]+/g, `$1${hidden}`],
];

/** A variable may hold `1` or `true`, and those would be taken out of everything. */
function isWorthHiding(secret: string): boolean {
  return secret.length >= 4 && !/^(?:true|false|none|null|auto|\d{1,5})$/i.test(secret);
}

/** As it is, inside of JSON, inside of a URL, and as HTTP's basic authorization has it. */
function toForms(secret: string): readonly string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
}

/** The longest first: one may be the beginning of another. */
function toAlternatives(texts: readonly string[]): RegExp | undefined {
  const unique = [...new Set(texts)].sort((a, b) => b.length - a.length);
  return unique.length === 0 ? undefined : new RegExp(unique.map(toPattern).join('|'), 'g');
}

/** A machine that is called `gpu` would take a word out of everything that is said about it. */
const plainWords = ['localhost', 'gpu', 'cuda', 'nvidia', 'vllm', 'qwen', 'docker', 'linux', 'server', 'host', 'home', 'main'];

function isTelling(hostname: string): boolean {
  return hostname.length > 2 && !plainWords.includes(hostname.toLowerCase());
}

function toPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
