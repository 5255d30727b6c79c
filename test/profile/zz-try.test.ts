import { it } from 'vitest';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { checkProfile, createReadCache } from '../../src/profile/load.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { toText } from '../../src/text/render.ts';
// @ts-ignore
import { topics } from './zz-cases.mjs';
it('x', async () => {
  const cwd = mkdtempSync('/tmp/q4/c-'); const places = toPlaces({ QWEN_DEPLOY_HOME: cwd }); const cache = createReadCache({ places });
  let n = 0; const out: string[] = []; const data: any = {};
  for (const [topic, cases] of Object.entries(topics) as any) { out.push(`## ${topic}`); data[topic] = [];
    for (const [name, text] of cases) { n += 1; const path = `${cwd}/p${n}.yaml`; const body = text.replace('SELF', `p${n}`); writeFileSync(path, body);
      const t0 = performance.now(); let lines: string[];
      try { const { findings } = await checkProfile(path, { places, cwd, sets: [], cache }); lines = findings.filter((f) => f.severity === 'error').map((f) => `${f.line ?? '-'}:${f.column ?? '-'} ${f.code}${f.path ? ' ' + f.path : ''}`); data[topic].push([name, lines.length > 12 ? [...lines.slice(0, 2), lines.length] : lines]);
        out.push(`${name.padEnd(34)} ${JSON.stringify(body.slice(0, 60)).padEnd(64)} ${lines.length > 4 ? `${lines.slice(0, 2).join(' | ')} … ${lines.length}` : lines.join(' | ')}  «${findings.filter((f) => f.severity === 'error').slice(0,1).map((f) => toText(f.message).slice(0, 90))}»${performance.now() - t0 > 100 ? ` ${(performance.now() - t0).toFixed(0)} ms` : ''}`);
      } catch (e) { out.push(`${name} THROW ${(e as Error).stack}`); data[topic].push([name, ['throw']]); } } }
  writeFileSync('/tmp/q4/out.txt', `${n}\n${out.join('\n')}`); writeFileSync('/tmp/q4/out.json', JSON.stringify(data));
}, 60000);
