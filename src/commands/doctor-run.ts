/** What `doctor` does with its options: looks, mends, packs, and shows what came of it. */
import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { type DoctorRequest, type Examined, examine, toDoctorStatus } from '../operate/doctor.ts';
import { toText } from '../text/render.ts';
import { renderDoctor, toDoctorLook } from '../views/doctor.ts';
import { type DoctorDeeds, toDoctorDocument } from '../views/doctor-document.ts';
import { toPlanDocument } from '../views/documents.ts';
import { renderTable } from '../views/tables.ts';
import { type ProfileOptions, toProfileRequest } from './options.ts';
import type { Session } from './session.ts';
import { version } from './version.ts';

export interface DoctorOptions extends ProfileOptions {
  readonly gpu?: string;
  readonly nvidiaSmi?: string;
  readonly offline?: true;
  readonly verbose?: true;
  readonly strict?: true;
  readonly fix?: true;
  readonly yes?: true;
  readonly bundle?: string;
  readonly force?: true;
}

export async function runDoctor(name: string | undefined, options: DoctorOptions, session: Session): Promise<number> {
  const { context } = session;
  const { bundle: file, force = false, verbose = false, strict = false } = options;
  if (file !== undefined) await (await import('../operate/doctor-bundle.ts')).checkBundleFile({ file, force }, context);
  const request = await toRequest(name, options, session);
  const fixed = options.fix ? await fix(request, options, session) : undefined;
  const examined = fixed ?? (await examine(request, context));
  const bundle = file === undefined ? undefined : await pack(examined, { file, force, request }, session);
  const deeds: DoctorDeeds = { ...(fixed ? { fixed } : {}), ...(bundle ? { bundle } : {}) };
  session.answer(
    () => toDoctorDocument(examined.report, deeds),
    (screen) => renderDoctor(examined.report, toDoctorLook(screen, { verbose }), deeds),
  );
  if (bundle) {
    const rows = bundle.files.map((one) => [`  ${one.name}`, toSizeText(one.bytes), one.what]);
    session.tell(
      `\n${toText(say('doctor.bundle.written', { file: bundle.file, size: toSizeText(bundle.bytes) }))}\n${renderTable(rows).trimEnd()}`,
    );
  }
  return toDoctorStatus(examined.report, { strict });
}

async function toRequest(name: string | undefined, options: DoctorOptions, { context, host }: Session): Promise<DoctorRequest> {
  const { profile, gpu, nvidiaSmi, offline = false } = options;
  const { profile: _, ...rest } = toProfileRequest(options);
  const smi = nvidiaSmi === undefined ? undefined : await readSmi(nvidiaSmi, { cwd: context.cwd, stdin: host.stdin });
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(profile === undefined ? {} : { profile }),
    ...(gpu === undefined ? {} : { gpu }),
    ...(smi ? { smi } : {}),
    offline,
  };
}

async function readSmi(file: string, from: { readonly cwd: string; readonly stdin: AsyncIterable<unknown> }) {
  const { readSavedSmi } = await import('../operate/doctor-smi.ts');
  return readSavedSmi(file, from);
}

async function fix(request: DoctorRequest, { yes = false }: { readonly yes?: boolean }, { context }: Session) {
  const { fixAndExamine } = await import('../operate/doctor-fix.ts');
  return fixAndExamine(request, { yes }, context);
}

interface Packing {
  readonly file: string;
  readonly force: boolean;
  readonly request: DoctorRequest;
}

/** The report goes into it as a document and as text, each without escape codes. */
async function pack(examined: Examined, { file, force, request }: Packing, { context }: Session) {
  const { writeBundle } = await import('../operate/doctor-bundle.ts');
  const { report, made } = examined;
  const plain = (text: string) => text;
  const palette = { good: plain, bad: plain, warn: plain, dim: plain, strong: plain };
  const toJson = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  const documents = [
    { name: 'doctor.json', what: toText(say('doctor.bundle.report')), text: toJson(toDoctorDocument(report)) },
    { name: 'doctor.txt', what: toText(say('doctor.bundle.text')), text: renderDoctor(report, { palette, signs: false, verbose: true }) },
    ...(made ? [{ name: 'plan.json', what: toText(say('doctor.bundle.plan')), text: toJson(toPlanDocument(made.first)) }] : []),
  ];
  return writeBundle({ file, force, version, documents, ...(request.smi ? { smi: request.smi } : {}) }, examined, context);
}
