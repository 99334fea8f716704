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

/** `message.send` and `message.retry` on behalf of a client, who has a limit and a name of his own. */
export class Sending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** Rejects with what `message.send` throws, and limit_reached. */
  send(client: ApiClient, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#call('send', client, args, this.#recipients(args), signal);
  }

  /** Rejects with what `message.retry` throws, and limit_reached: what is sent again counts for whoever asks for it. */
  retry(client: ApiClient, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#call('retry', client, args, 1, signal);
  }

  /** Takes room for the messages, and gives back that of those that were not accepted. */
  async #call(
    method: 'send' | 'retry',
    client: ApiClient,
    args: JsonObject,
    wanted: number,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const { namespace, limits } = this.#options;
    const giveBack = await limits.take(client, wanted);
    let accepted = 0;
    try {
      const result = await namespace.call('sms_gateway.message', method, args, callerOf(client, signal));
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
