/** What the bars of supervision say of containers: R1, R2, and many deployments at once. */
import { playPairs } from '../../test/docker/pairs.ts';
import { type DockerPlace, openDockerPlace } from './docker-stand.ts';
import type { Asked, Bar, Verdict } from './lib/bar.ts';
import { toSpread } from './lib/numbers.ts';
import { proveReadoption } from './r01-readoption.ts';
import { proveExitSeen } from './r02-exit-seen.ts';

const pairs = 20;

export const dockerBackend: Bar = {
  id: 'DOCKER',
  bar: `in containers: R1, R2, and ${pairs} parallel pairs of up and down leave nothing`,
  on: 'the stand-in engine in a Docker engine of its own',
  async prove(asked) {
    const place = await openDockerPlace();
    try {
      const parts = [
        await tell('R1', asked, () => proveReadoption(asked, place.open)),
        await tell('R2', asked, () => proveExitSeen(asked, place.open)),
        await tell('pairs', asked, () => provePairs(place)),
      ];
      return { met: parts.every(({ met }) => met), figure: parts.map(({ figure }) => figure).join('; '), lines: [] };
    } finally {
      await place.close();
    }
  },
};

/** At once: the next part may take half an hour. */
async function tell(name: string, { say }: Asked, prove: () => Promise<Verdict>): Promise<Verdict> {
  const begun = performance.now();
  const { met, figure, lines } = await prove();
  for (const line of lines) say(`${name}: ${line}`);
  say(`${name}: ${met ? 'met' : 'MISSED'}: ${figure}; in ${Math.round((performance.now() - begun) / 1000)} s`);
  return { met, figure: `${name}: ${figure}`, lines };
}

async function provePairs({ engine, image }: DockerPlace): Promise<Verdict> {
  const { problems, ran, upMs, downMs } = await playPairs(engine, image, pairs);
  return {
    met: problems.length === 0 && ran === pairs,
    figure: `${ran} of ${pairs} ran at once, ${problems.length} problems or things left; up ${toSpread(upMs)}; down ${toSpread(downMs)}`,
    lines: problems,
  };
}
