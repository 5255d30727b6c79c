// Writes what is generated and committed: the reference of profiles, and their JSON Schema.
import { mkdir, writeFile } from 'node:fs/promises';
import { toPackagePath } from '../../src/host/package-files.ts';
import { readProfileSchema, renderSchema } from '../../src/operate/profiles-schema.ts';
import { renderProfilesPage, where } from './profiles.ts';

export async function writeDocs(): Promise<void> {
  const { schema } = await readProfileSchema(undefined, { ...where, emit: () => undefined });
  await mkdir(toPackagePath('schema'), { recursive: true });
  await writeFile(toPackagePath('schema', 'profile.schema.json'), renderSchema(schema));
  await writeFile(toPackagePath('docs', 'profiles.md'), await renderProfilesPage());
}
