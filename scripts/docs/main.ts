// Writes what is generated and committed: the references of profiles, of the doctor's checks and of failures, and the JSON Schema.
import { mkdir, writeFile } from 'node:fs/promises';
import { toPackagePath } from '../../src/host/package-files.ts';
import { readProfileSchema, renderSchema } from '../../src/operate/profiles-schema.ts';
import { renderDoctorPage } from './doctor.ts';
import { renderFailuresPage } from './failures.ts';
import { renderProfilesPage, where } from './profiles.ts';

export async function writeDocs(): Promise<void> {
  const { schema } = await readProfileSchema(undefined, { ...where, emit: () => undefined });
  await mkdir(toPackagePath('schema'), { recursive: true });
  await writeFile(toPackagePath('schema', 'profile.schema.json'), renderSchema(schema));
  await writeFile(toPackagePath('docs', 'profiles.md'), await renderProfilesPage());
  await writeFile(toPackagePath('docs', 'doctor.md'), await renderDoctorPage());
  await writeFile(toPackagePath('docs', 'failures.md'), await renderFailuresPage());
}
