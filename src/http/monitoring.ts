import type { AddressList } from '../access/address.ts';
import type { Metrics } from '../rpc/metrics.ts';
import { type Route, refusal, sendAnswer } from './route.ts';
import type { ClientOf } from './same-site.ts';

/**
 * `/metrics` for Prometheus and `/health` for whoever watches whether the gateway works. They name modems and functions, and
 * hold no message and no secret; clients outside `allowed` get 403.
 */
export function monitoring(metrics: Metrics, allowed: () => AddressList, clientOf: ClientOf): Route {
  return {
    matches: (path) => path === '/metrics' || path === '/health',
    async handle(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return sendAnswer(response, refusal(405, 'GET only\n'));
      if (!allowed().has(clientOf(request))) return sendAnswer(response, refusal(403, 'see option monitor_from\n'));
      if (/^\/metrics(?:\?|$)/.test(request.url ?? '')) {
        const contentType = 'text/plain; version=0.0.4; charset=utf-8';
        return sendAnswer(response, { status: 200, contentType, body: metrics.text() });
      }
      const { healthy, problems } = metrics.health();
      sendAnswer(response, {
        status: healthy ? 200 : 503,
        contentType: 'application/json',
        body: `${JSON.stringify({ status: healthy ? 'ok' : 'failing', problems })}\n`,
      });
    },
  };
}
