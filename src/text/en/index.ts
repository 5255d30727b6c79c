/** The English catalogue: every sentence for people that is not an error (errors.ts). One file per area. */
import { adapt } from './adapt.ts';
import { advice } from './advice.ts';
import { commands } from './commands.ts';
import { cures } from './cures.ts';
import { doctor } from './doctor.ts';
import { doctorGpu } from './doctor-gpu.ts';
import { doctorHost } from './doctor-host.ts';
import { doctorServices } from './doctor-services.ts';
import { engine } from './engine.ts';
import { engineImage } from './engine-image.ts';
import { explain } from './explain.ts';
import { explainLog } from './explain-log.ts';
import { failures } from './failures.ts';
import { fallback } from './fallback.ts';
import { flags } from './flags.ts';
import { history } from './history.ts';
import { imports } from './import.ts';
import { life } from './life.ts';
import { memory } from './memory.ts';
import { plan } from './plan.ts';
import { profiles } from './profiles.ts';
import { reading } from './reading.ts';
import { reasons } from './reasons.ts';
import { remedy } from './remedy.ts';
import { render } from './render.ts';
import { rules } from './rules.ts';
import { settings } from './settings.ts';
import { unit } from './unit.ts';
import { up } from './up.ts';
import { views } from './views.ts';

export const messages = {
  ...plan,
  ...adapt,
  ...fallback,
  ...up,
  ...unit,
  ...engine,
  ...engineImage,
  ...life,
  ...reasons,
  ...views,
  ...commands,
  ...flags,
  ...explain,
  ...failures,
  ...cures,
  ...explainLog,
  ...advice,
  ...rules,
  ...profiles,
  ...reading,
  ...remedy,
  ...render,
  ...settings,
  ...imports,
  ...doctor,
  ...doctorGpu,
  ...doctorHost,
  ...doctorServices,
  ...memory,
  ...history,
};
