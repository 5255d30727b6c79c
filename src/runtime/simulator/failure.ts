/** Answers that are refusals, with vLLM's wording and shape: clients and probes tell them apart by these. */

export interface ApiFailure {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param?: string;
}

export function toFailureBody({ status, message, type, param }: ApiFailure): unknown {
  return { error: { message, type, param: param ?? null, code: status } };
}

export function toUnknownModel(name: string, servedNames: readonly string[]): ApiFailure {
  const message = `The model \`${name}\` does not exist. Valid aliases: ${servedNames.join(', ')}.`;
  return { status: 404, message, type: 'NotFoundError', param: 'model' };
}

export function toBadRequest(message: string, param?: string): ApiFailure {
  return { status: 400, message, type: 'BadRequestError', ...(param === undefined ? {} : { param }) };
}

/** FastAPI's word for a member that is not there; `body` alone for a body that is not JSON. */
export function toMissing(place: string): ApiFailure {
  const message = `1 validation error:\n  {'type': 'missing', 'loc': '${place}', 'msg': 'Field required', 'input': 'None'}`;
  return { status: 400, message, type: 'Bad Request', param: place };
}

export const engineDead: ApiFailure = {
  status: 500,
  message: 'EngineCore encountered an issue. See stack trace (above) for the root cause.',
  type: 'InternalServerError',
};

/** What a request that comes during a drain is told. */
export const shuttingDown: ApiFailure = {
  status: 500,
  message: 'cannot schedule new futures after shutdown',
  type: 'InternalServerError',
};
