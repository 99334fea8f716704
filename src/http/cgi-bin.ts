import type { CgiAnswer, CgiRequest } from '../modules/host/module.ts';
import { refusal, sendAnswer } from './answer.ts';
import { readBody } from './body.ts';
import { type Route, splitTarget } from './route.ts';

/** What the shim reaches as `sms_gateway.cgi request`. */
export type CgiEntry = (request: CgiRequest, signal: AbortSignal) => Promise<CgiAnswer>;

const scripts = /^\/cgi-bin\/(sms_(?:list|read|send|total|delete))$/;
/** As in sms_cgi.c. */
const MAX_BODY = 65_536;

/** The cgi-bin URLs, as uhttpd serves them through the shim. */
export function cgiBin(entry: CgiEntry): Route {
  return {
    matches: (path) => scripts.test(path),
    async handle(request, response, signal) {
      const { path, query } = splitTarget(request.url ?? '');
      const body = await readBody(request, MAX_BODY);
      if (body === undefined) return sendAnswer(response, refusal(413));
      const cgiRequest: CgiRequest = {
        script: scripts.exec(path)?.[1] ?? '',
        method: request.method ?? '',
        query,
        body: body.toString('latin1'),
        remoteAddress: request.socket.remoteAddress ?? '',
      };
      sendAnswer(response, await entry(cgiRequest, signal));
    },
  };
}
