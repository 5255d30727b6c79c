// What the yaml package needs to parse the files that are named, and nothing else: the floor under `profiles check`.
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';

for (const file of process.argv.slice(2)) parseDocument(readFileSync(file, 'utf8')).toJS();
