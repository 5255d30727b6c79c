/** One value of a profile, and what YAML made of it that nobody meant. */
import type { Scalar } from 'yaml';
import { say } from '../core/message.ts';
import { isKeyText, isSecretPath, isSecretText } from './secrets.ts';
import type { TreeProblem } from './walk.ts';

/** Stands for a secret from here on, so that nobody behind can repeat it. */
const hidden = '…';

/** `ignored`: below an `x-…` key, where only secrets matter. */
export function readScalar(
  { value, source = '' }: Scalar,
  { path, ignored }: { readonly path: readonly string[]; readonly ignored: boolean },
  report: (problem: TreeProblem) => undefined,
): unknown {
  if (typeof value === 'string') {
    const problem = checkText(value, path);
    if (problem === undefined) return value;
    report(problem);
    return problem.code === 'profile/secret' ? hidden : undefined;
  }
  // What stands at the place of a secret is never repeated.
  if (typeof value !== 'number' || ignored || isSecretPath(path)) return value;
  const problem = checkNumber(value, source, path);
  if (problem) report(problem);
  return value;
}

/** A program takes no argument that is longer than 128 KiB, and people read none. */
const longestText = 65_536;

function checkText(text: string, path: readonly string[]): TreeProblem | undefined {
  if (text.length > longestText)
    return { code: 'profile/too-large', path, message: say('profile.too-long', { path: path.join('.'), most: longestText }) };
  const isVariable = path[0] === 'engine' && path[1] === 'env';
  const isHeader = path[0] === 'notify' && path.includes('headers');
  if (isSecretText(text) || ((isVariable || isHeader) && isKeyText(text))) {
    const takesReference = isSecretPath(path) || isVariable || isHeader;
    const params = { path: path.join('.') };
    return {
      code: 'profile/secret',
      path,
      message: takesReference ? say('profile.want.secret', params) : say('profile.looks-secret', params),
    };
  }
  const stray = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u.exec(text)?.[0];
  if (stray === undefined) return undefined;
  const point = `U+${(stray.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return { code: 'profile/control-character', path, message: say('profile.control-in-value', { path: path.join('.'), point }) };
}

function checkNumber(value: number, written: string, path: readonly string[]): TreeProblem | undefined {
  const name = path.join('.');
  if (!Number.isFinite(value)) return { code: 'profile/wrong-value', path, message: say('profile.not-finite', { path: name }) };
  const [, sign = '', digits = ''] = /^([+-]?)0+(\d+)$/.exec(written) ?? [];
  if (digits !== '') return toLeadingZero({ value, written, sign, digits }, path);
  const isWhole = /^[+-]?\d+$|^0[ox]/.test(written);
  if (!isWhole || Number.isSafeInteger(value)) return undefined;
  const problem = { code: 'profile/large-number', path, message: say('profile.large-number', { path: name, written, value }) };
  return path[0] === 'vllm' && path.length === 2 ? { ...problem, hint: say('profile.hint.in-quotes'), fix: { [name]: written } } : problem;
}

interface LeadingZero {
  readonly value: number;
  readonly written: string;
  readonly sign: string;
  readonly digits: string;
}

/** YAML 1.1, which Python reads, takes 010 for eight. */
function toLeadingZero({ value, written, sign, digits }: LeadingZero, path: readonly string[]): TreeProblem {
  const name = path.join('.');
  const isOctal = /^[0-7]+$/.test(digits) && value !== 0;
  const octal = digits.replace(/^0+(?=\d)/, '');
  const other = `${sign}${Number.parseInt(octal, 8)}`;
  if (isOctal && other !== String(value))
    return { code: 'profile/leading-zero', path, message: say('profile.octal', { path: name, written, value, other, octal }) };
  const message = say('profile.leading-zero', { path: name, written, value });
  // A part of a list cannot be set.
  const isPart = path.some((step) => /^\d+$/.test(step));
  return { code: 'profile/leading-zero', path, message, ...(isPart ? {} : { fix: { [name]: value } }) };
}
