import type { Config } from '../../config/config.ts';
import type { Namespace } from '../../rpc/namespace.ts';
import { Api } from './api.ts';
import { ApiClients, type ClientsOptions } from './clients.ts';
import { DailyLimits, type Submissions } from './daily-limit.ts';
import { Sending } from './sending.ts';

export interface OpenApiOptions extends ClientsOptions {
  readonly config: () => Pick<Config, 'tokens' | 'post_get' | 'groups' | 'modems'>;
  readonly namespace: Pick<Namespace, 'call'>;
  readonly submissions: Submissions;
}

/** Puts the parts of the REST interface together. */
export function openApi(options: OpenApiOptions): Api {
  const { config, namespace, submissions, access, instantOf, log } = options;
  const clients = new ApiClients(options);
  access.addDoor('api', () => clients.usage());
  const groupSize = (name: string) => {
    const group = config().groups.find((candidate) => candidate.name === name);
    return group === undefined ? undefined : new Set(group.tel).size;
  };
  const sending = new Sending({ namespace, limits: new DailyLimits(submissions), groupSize });
  const hasModem = (name: string) => config().modems.some(({ section }) => section === name);
  return new Api({ namespace, clients, sending, instantOf, hasModem, input: access.memory.input, log });
}
