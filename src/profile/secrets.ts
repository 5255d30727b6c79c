/** What must never be shown, journaled or handed on: recognised by the name of its setting, or by its own form. */

/** Values of these names are secrets; they may stand in a profile as references only. */
export function isSecretName(name: string): boolean {
  return /(^|[_-])(API_?KEY|TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i.test(name);
}

/** `env:NAME` or `file:PATH`. */
export function isReference(text: string): boolean {
  return /^(env:[A-Za-z_]\w*|file:.+)$/.test(text);
}

/** Tokens of the hub and API keys in the forms that they are given out in: `hf_…`, `sk-…`. */
export function isSecretText(text: string): boolean {
  const candidates = text.matchAll(/(?<![A-Za-z0-9_-])(?:hf_([A-Za-z0-9]+)|sk-([A-Za-z0-9_-]+))/g);
  // `hf_overrides` is a word, and so may be a model called sk-something: a token is long, or has digits or capitals in it.
  return [...candidates].some(([, hub, key]) => {
    const body = hub ?? key ?? '';
    return body.length >= (hub === undefined ? 20 : 16) || (body.length >= 6 && /[A-Z\d]/.test(body));
  });
}

/** Where nothing but references and plain words belong: a key as many services give it out, 160 bits or more in hex. */
export function isKeyText(text: string): boolean {
  return /^[0-9a-f]{40,}$/i.test(text.trim());
}

/** Whether what stands at a path of a profile is a secret by its name. Labels and adapters are named as people like. */
export function isSecretPath(path: readonly string[]): boolean {
  const [block, ...rest] = path;
  return block !== 'labels' && block !== 'lora' && rest.some(isSecretName);
}
