/** What is meant by "cannot be seen": an engine of containers that does not answer says nothing about what it runs. */
import { DeployError } from '../core/error.ts';

const unanswered = [
  'docker/absent',
  'docker/forbidden',
  'docker/silent',
  'docker/unreachable',
  'docker/bad-address',
  'docker/no-context',
  'docker/broken',
];

/** Nobody was asked: neither a refusal nor an answer. */
export function isOutOfSight(error: unknown): error is DeployError {
  return error instanceof DeployError && unanswered.includes(error.code);
}
