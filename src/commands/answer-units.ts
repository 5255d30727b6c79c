/** What `install` and `uninstall` have in common: which deployments, and the answer. */
import type { Command } from 'commander';
import { say } from '../core/message.ts';
import type { UnitReport } from '../operate/install-unit.ts';
import { toText } from '../text/render.ts';
import { renderUnits, toUnitsDocument } from '../views/unit.ts';
import type { Session } from './session.ts';

export function addNames(command: Command): Command {
  return command.argument('[names...]', toText(say('commands.argument.names')));
}

export function answerUnits(session: Session, reports: readonly UnitReport[]): void {
  session.answer(toUnitsDocument(reports), ({ output, palette }) =>
    output.mode === 'quiet' ? reports.map(({ path }) => `${path}\n`).join('') : renderUnits(reports, palette),
  );
}
