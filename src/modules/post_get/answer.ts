import type { ErrorCode, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CgiAnswer } from '../host/contract.ts';

/** What a script found, in both forms that a client may ask for. */
export interface Reply {
  /** What the answer reports as failed; decides about the status. */
  readonly error?: GatewayError;
  text(): string;
  json(): JsonObject;
}

export interface AnswerForm {
  readonly json: boolean;
  /** Errors carry their own HTTP status. Off: 200 as the original, but 401 for a login and 405 for a method. */
  readonly strictStatus: boolean;
}

export function formOf(
  parameters: ReadonlyMap<string, string>,
  config: { readonly strict_status: boolean },
): AnswerForm {
  return { json: parameters.get('format') === 'json', strictStatus: config.strict_status };
}

/** The original's words. `invalid_argument` has the word in its message, everything else is ERROR. */
const words: Partial<Record<ErrorCode, string>> = {
  access_denied: 'Bad username or password',
  too_many: 'Bad username or password',
  module_unavailable: 'Disabled',
  timeout: 'TIMEOUT',
  invalid_number: 'WRONG_NUMBER',
  message_not_found: 'no message',
  group_not_found: 'Group not found',
  group_empty: 'Phone group is empty',
};

export function errorReply(error: GatewayError): Reply {
  return {
    error,
    text: () => `${error.code === 'invalid_argument' ? error.message : (words[error.code] ?? 'ERROR')}\n`,
    json: () => ({ error: { code: error.code, message: error.message } }),
  };
}

export function answerOf(reply: Reply, form: AnswerForm): CgiAnswer {
  const status = reply.error === undefined ? 200 : errorStatus(reply.error, form.strictStatus);
  return form.json
    ? { status, contentType: 'application/json', body: `${JSON.stringify(reply.json())}\n` }
    : { status, contentType: 'text/plain;charset=utf-8', body: reply.text() };
}

function errorStatus(error: GatewayError, strict: boolean): number {
  if (error.code === 'access_denied') return 401;
  if (strict) return error.mapping.http;
  return error.code === 'too_many' ? 401 : 200;
}

/** The same with either form, and before any other check. */
export const methodNotAllowed: CgiAnswer = {
  status: 405,
  contentType: 'text/plain;charset=utf-8',
  body: 'Method Not Allowed\n',
};
