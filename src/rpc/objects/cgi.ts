import { originFields } from '../../access/request-origin.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CgiAnswer, CgiRequest } from '../../modules/host/contract.ts';
import { implement, type RpcObject, type Signatures } from '../method.ts';

/** What answers the cgi-bin URLs. Gives an answer while no module serves them, too. */
export interface CgiHandler {
  cgi(request: CgiRequest, signal: AbortSignal): Promise<CgiAnswer>;
}

export const cgiSignatures = {
  request: {
    help: 'Answers one request to a cgi-bin URL. For the programs that a web server runs; `query` and `body` carry one character an octet (U+0000 to U+00FF).',
    args: {
      script: { type: 'string', required: true, range: [1, 64], help: 'Last part of the path: `sms_send`.' },
      method: { type: 'string', required: true, range: [1, 16], help: 'REQUEST_METHOD.' },
      query: { type: 'string', help: 'QUERY_STRING as it came.' },
      body: { type: 'string', help: 'Request body as it came.' },
      content_type: { type: 'string', help: 'CONTENT_TYPE: how the body is to be read.' },
      remote_addr: { type: 'string', required: true, range: [1, 64], help: 'REMOTE_ADDR: address of the client.' },
      headers: {
        type: 'table',
        help: 'Header fields of the request that say where it comes from, by their names in lower case: `host`, `origin`, `referer`, `user-agent`, `sec-fetch-site`, `x-forwarded-for`, `forwarded`, `x-real-ip`, `via`.',
      },
    },
    result: {
      status: 'HTTP status.',
      content_type: 'Content-Type of the answer.',
      body: 'The answer.',
    },
  },
} as const satisfies Signatures;

/** `sms_gateway.cgi`. */
export function cgiObject(handler: CgiHandler): RpcObject {
  return implement('sms_gateway.cgi', cgiSignatures, {
    async request(
      { script, method, query = '', content_type = '', body = '', remote_addr, headers = {} },
      { signal, room },
    ) {
      const request = {
        script,
        method,
        query: octets('query', query),
        contentType: content_type,
        body: octets('body', body),
        remoteAddress: remote_addr,
        origin: originFields(textsOf(headers)),
        ...(room && { room }),
      };
      const answer = await handler.cgi(request, signal);
      return { status: answer.status, content_type: answer.contentType, body: answer.body };
    },
  });
}

const textsOf = (table: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(table).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
  );

function octets(name: string, text: string): string {
  if (/^[\0-\xff]*$/.test(text)) return text;
  throw new GatewayError('invalid_argument', `argument ${name}: got characters above U+00FF, wanted one an octet`);
}
