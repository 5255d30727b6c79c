/** What the server printed of its own command line: `non-default args: {'port': 8100, 'max_model_len': 512, …}`. */

/** By vLLM's names with dashes. Numbers, texts and switches; what is nested is left out. */
export function toPrintedSettings(text: string): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const match of text.slice(0, longest).matchAll(pairPattern)) {
    const [, name = '', value = ''] = match;
    settings[name.replaceAll('_', '-')] = toValue(value);
  }
  return settings;
}

const longest = 16_384;
const pairPattern = /'(\w{1,60})': ('[^']{0,400}'|-?\d[\d.]{0,20}|True|False)/g;

function toValue(value: string): unknown {
  if (value === 'True' || value === 'False') return value === 'True';
  return value.startsWith("'") ? value.slice(1, -1) : Number(value);
}
