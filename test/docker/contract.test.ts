import { describeRuntime } from '../contract/runtime-contract.ts';
import { openDockerStage } from './docker-stage.ts';

describeRuntime('docker', openDockerStage);
