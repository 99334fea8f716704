import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CgiAnswer, CgiRequest } from '../modules/module.ts';
import { readBody } from './body.ts';
import { type Route, splitTarget } from './route.ts';

/** What the shim reaches as `sms_gateway.cgi request`. */
export type CgiEntry = (request: CgiRequest, signal: AbortSignal) => Promise<CgiAnswer>;

const scripts = /^\/cgi-bin\/(sms_(?:list|read|send|total|delete))$/;
/** As in sms_cgi.c. */
const MAX_BODY = 65_536;

const refusal = (status: number): CgiAnswer => ({ status, contentType: 'text/plain;charset=utf-8', body: 'ERROR\n' });

/** The cgi-bin URLs, as uhttpd serves them through the shim. */
export function cgiBin(entry: CgiEntry): Route {
  return {
    matches: (path) => scripts.test(path),
    async handle(request, response, signal) {
      const { path, query } = splitTarget(request.url ?? '');
      const body = await readBody(request, MAX_BODY);
      if (body === undefined) return answer(response, refusal(413));
      const cgiRequest: CgiRequest = {
        script: scripts.exec(path)?.[1] ?? '',
        method: request.method ?? '',
        query,
        body: body.toString('latin1'),
        remoteAddress: request.socket.remoteAddress ?? '',
      };
      answer(response, await entry(cgiRequest, signal));
    },
  };
}

function answer(response: ServerResponse<IncomingMessage>, { status, contentType, body }: CgiAnswer): void {
  // Answers hold messages, and their URLs hold passwords.
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Type', contentType);
  if (status === 405) response.setHeader('Allow', 'GET, POST');
  // What is left of a body that was too long is not read.
  if (status === 413) response.setHeader('Connection', 'close');
  response.statusCode = status;
  response.end(body);
}
