import { budgets, limitsOf } from '../access/budgets.ts';
import { Memory } from '../access/memory.ts';
import { originFields } from '../access/request-origin.ts';
import type { Clock } from '../base/clock.ts';
import type { CgiAnswer, CgiRequest } from '../modules/host/contract.ts';
import { type Route, readBody, refusal, roomOf, sendAnswer, splitTarget } from './route.ts';

/** What the shim reaches as `sms_gateway.cgi request`. */
export type CgiEntry = (request: CgiRequest, signal: AbortSignal) => Promise<CgiAnswer>;

const scripts = /^\/cgi-bin\/(sms_(?:list|read|send|total|delete))$/;
/** Both as in sms_cgi.c: octets, and ms from the request's end to the answer. */
const { cgiBody: MAX_BODY, cgiAnswer: DEADLINE } = limitsOf(budgets.http);

/** The cgi-bin URLs, as uhttpd serves them through the shim. */
export function cgiBin(entry: CgiEntry, clock: Clock, { input }: Memory = new Memory(clock)): Route {
  return {
    matches: (path) => scripts.test(path),
    async handle(request, response, signal) {
      const { path, query } = splitTarget(request.url ?? '');
      // The shim reads no other body either.
      const body = request.method === 'POST' ? await readBody(request, MAX_BODY, { input, signal }) : Buffer.alloc(0);
      if (body === undefined) return sendAnswer(response, refusal(413));
      const cgiRequest: CgiRequest = {
        script: scripts.exec(path)?.[1] ?? '',
        method: request.method ?? '',
        query,
        contentType: request.headers['content-type'] ?? '',
        body: body.toString('latin1'),
        remoteAddress: request.socket.remoteAddress ?? '',
        origin: originFields(request.headers),
        room: roomOf(response),
      };
      const late = new AbortController();
      const cancel = clock.after(DEADLINE, () => {
        sendAnswer(response, refusal(504, 'TIMEOUT\n'));
        late.abort();
      });
      try {
        const answer = await entry(cgiRequest, AbortSignal.any([signal, late.signal]));
        cgiRequest.room?.keep(answer.body.length);
        if (!late.signal.aborted) sendAnswer(response, answer);
      } catch (error) {
        if (!late.signal.aborted) throw error;
      } finally {
        cancel();
      }
    },
  };
}
