import { GatewayError } from '../../base/errors.ts';
import type { CgiAnswer, CgiRequest } from '../host/contract.ts';
import { answerOf, errorReply, formOf, methodNotAllowed } from './answer.ts';
import { parametersOf } from './form.ts';

/**
 * What the URLs answer while Post/Get does not run, whoever asks: `Disabled` where it is switched off; `ERROR` while it
 * starts or could not, after which clients ask again.
 */
export function notRunningAnswer(
  request: CgiRequest,
  config: { readonly enabled: boolean; readonly strict_status: boolean },
): CgiAnswer {
  if (request.method !== 'GET' && request.method !== 'POST') return methodNotAllowed;
  const error = config.enabled
    ? new GatewayError('stopping', 'Post/Get is not running')
    : new GatewayError('module_unavailable', 'Post/Get is switched off');
  return answerOf(errorReply(error), formOf(parametersOf(request), config));
}
