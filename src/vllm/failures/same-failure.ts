/** Whether two launches failed for the same reason. */
import { parseLogLine } from '../log-line.ts';

/** Two launches that end with the same signature failed for the same reason: numbers, paths and addresses are left out. */
export function toSignature(line: string): string {
  return parseLogLine(line)
    .text.replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replace(/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b/gi, '<hex>')
    .replace(/(?<![\w/<])\/[^\s'"`,;:()[\]{}]+/g, '<path>')
    .replace(/\d+(?:[.,:]\d+)*/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim();
}
