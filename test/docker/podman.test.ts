import { describeRuntime } from '../contract/runtime-contract.ts';
import { openDockerStage } from './docker-stage.ts';
import { startPodman } from './podman.ts';

describeRuntime('podman', () => openDockerStage(startPodman));
