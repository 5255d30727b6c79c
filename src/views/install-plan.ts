/** What an installation would do: its commands as a script that one could run, each part with a comment. */
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { InstallPlan } from '../engine/plan-install.ts';
import { toText } from '../text/render.ts';

/** `lines`: the commands of the plan in its own order. */
export function renderInstallPlan(plan: InstallPlan, lines: readonly string[]): string {
  const choices = plan.dependencies.reduce((count, { probe }) => count + (probe === undefined ? 1 : 2), 0);
  const parts: readonly (readonly [Message, number])[] = [
    [say('views.install.tools'), plan.tools.length],
    [say('views.install.environment'), 1],
    [say('views.install.package', { package: plan.package }), 1],
    [say('views.install.dependencies'), choices],
    [say('views.install.finish'), 2],
  ];
  let rest = lines;
  const script = parts.map(([title, count]) => {
    const part = rest.slice(0, count);
    rest = rest.slice(count);
    return part.length === 0 ? '' : `${toComment(title)}${part.map((line) => `${line}\n`).join('')}`;
  });
  return toComment(toHead(plan)) + script.join('') + rest.map((line) => `${line}\n`).join('');
}

function toHead(plan: InstallPlan): Message {
  const python = plan.python?.version ?? plan.python?.program;
  return say('views.install.head', {
    package: plan.package,
    version: plan.engineVersion,
    directory: plan.directory,
    python: python === undefined ? say('views.install.python-of-uv') : say('views.install.python', { python }),
    sources: plan.sources.join(', '),
    size: toSizeText(plan.needBytes),
  });
}

function toComment(title: Message): string {
  return `# ${toText(title)}\n`;
}
