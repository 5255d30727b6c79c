import { openProcessStage } from './process-stage.ts';
import { describeRuntime } from './runtime-contract.ts';

describeRuntime('process', () => openProcessStage('stand-in'));
