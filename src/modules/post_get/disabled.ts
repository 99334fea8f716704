import { GatewayError } from '../../errors.ts';
import type { CgiAnswer, CgiRequest } from '../module.ts';
import { answerOf, errorReply, formOf, methodNotAllowed } from './answer.ts';
import { parametersOf } from './form.ts';

/** What the URLs answer while Post/Get does not run: `Disabled`, whoever asks. */
export function disabledAnswer(request: CgiRequest, config: { readonly strict_status: boolean }): CgiAnswer {
  if (request.method !== 'GET' && request.method !== 'POST') return methodNotAllowed;
  const reply = errorReply(new GatewayError('module_unavailable', 'Post/Get is switched off'));
  return answerOf(reply, formOf(parametersOf(request), config));
}
