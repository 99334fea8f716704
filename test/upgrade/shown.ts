import type { JsonObject } from '../../src/base/json.ts';

type Call = (object: string, method: string, args: JsonObject) => Promise<JsonObject>;

/** Fields that a restart may change. */
const passing = new Set(['since', 'changed']);

/** What a gateway shows of its store and its config. */
export async function shownBy(call: Call): Promise<JsonObject> {
  const boxes = await Promise.all(
    ['inbox', 'outbox'].map(async (box) => {
      const { messages } = await call('sms_gateway.message', 'list', { box, limit: 1000 });
      return (messages as unknown as readonly JsonObject[]).map((message) =>
        Object.fromEntries(Object.entries(message).filter(([name]) => !passing.has(name))),
      );
    }),
  );
  const { modules } = await call('sms_gateway.module', 'list', {});
  const list = modules as unknown as readonly { name: string; enabled: boolean; pending: number }[];
  return {
    inbox: boxes[0] ?? [],
    outbox: boxes[1] ?? [],
    total: await call('sms_gateway.message', 'total', {}),
    modules: list.map(({ name, enabled, pending }) => ({ name, enabled, pending })),
  };
}
