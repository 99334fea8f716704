import type { OperationRequest } from '../session.ts';
import type { PduToSend } from '../wire/codec.ts';
import { cancelSm } from './cancel-sm.ts';
import type { OperationContext } from './context.ts';
import { dataSm } from './data-sm.ts';
import { querySm } from './query-sm.ts';
import { replaceSm } from './replace-sm.ts';
import { submitMulti } from './submit-multi.ts';
import { submitSm } from './submit-sm.ts';

/** Carries out a request about messages; resolves to the parameters of its response. Throws SmppError, GatewayError. */
export function operate(
  request: OperationRequest,
  context: OperationContext,
): Promise<NonNullable<PduToSend['fields']>> {
  switch (request.command) {
    case 'submit_sm':
      return submitSm(request.fields, context);
    case 'submit_multi':
      return submitMulti(request.fields, context);
    case 'data_sm':
      return dataSm(request.fields, context);
    case 'query_sm':
      return querySm(request.fields, context);
    case 'cancel_sm':
      return cancelSm(request.fields, context);
    case 'replace_sm':
      return replaceSm(request.fields, context);
  }
}
