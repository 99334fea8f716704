import { isJsonObject, type JsonObject } from '../../base/json.ts';
import type { Caller } from '../../rpc/method.ts';
import type { Namespace } from '../../rpc/namespace.ts';
import type { ApiClient } from './clients.ts';
import type { DailyLimits } from './daily-limit.ts';

export interface SendingOptions {
  readonly namespace: Pick<Namespace, 'call'>;
  readonly limits: DailyLimits;
  /** How many numbers a group holds; undefined when there is no such group. */
  readonly groupSize: (name: string) => number | undefined;
}

/** `message.send` on behalf of a client, who has a limit and a name of his own. */
export class Sending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** Rejects with what `message.send` throws, and limit_reached. */
  async send(client: ApiClient, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const { namespace, limits } = this.#options;
    const wanted = this.#recipients(args);
    const giveBack = await limits.take(client, wanted);
    let accepted = 0;
    try {
      const result = await namespace.call('sms_gateway.message', 'send', args, callerOf(client, signal));
      if (result['duplicate'] !== true) accepted = acceptedIn(result);
      return result;
    } finally {
      giveBack(wanted - accepted);
    }
  }

  #recipients({ numbers, group }: JsonObject): number {
    if (Array.isArray(numbers)) return numbers.length;
    return (typeof group === 'string' ? this.#options.groupSize(group) : undefined) ?? 1;
  }
}

export const callerOf = ({ source, share, who }: ApiClient, signal: AbortSignal): Caller => ({
  ...{ transport: 'http', source, who, signal },
  ...(share !== undefined && { share }),
});

const acceptedIn = ({ recipients }: JsonObject): number =>
  Array.isArray(recipients) ? recipients.filter((each) => isJsonObject(each) && each['id'] !== undefined).length : 1;
