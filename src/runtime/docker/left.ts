/** A container that was left behind, found by its labels: it alone is ended, whoever else has the same launch id. */
import type { Container } from '../../host/docker/docker.ts';
import { DockerRemains } from './remains.ts';

export class LeftRemains extends DockerRemains {
  protected override async find(): Promise<readonly Container[]> {
    const found = await (await this.docker()).inspect(this.record.containerId ?? '');
    return found === undefined ? [] : [found];
  }
}
