import { DeployError } from '../../src/core/error.ts';

/** The error that some work ends with; it is wrong to end well. */
export async function toError(work: Promise<unknown>): Promise<DeployError> {
  const error: unknown = await work.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  if (error instanceof DeployError) return error;
  throw new Error('it did not end with an error of ours', { cause: error });
}
