import type { Api } from './api/api.ts';
import type { Route } from './route.ts';

const served = /^\/(?:api|jsonrpc|index\.php\/(?:api|jsonrpc))\//;

/** The REST interface, loaded when the first request for it comes. */
export function lazyApi(isOn: () => boolean, open: () => Promise<Api>): Route {
  let api: Promise<Api> | undefined;
  return {
    matches: (path) => served.test(path) && isOn(),
    async handle(request, response, signal) {
      api ??= open().catch((error: unknown) => {
        api = undefined;
        throw error;
      });
      await (await api).handle(request, response, signal);
    },
  };
}
