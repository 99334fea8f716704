import type { OutboxMessage } from '../../../src/store/message.ts';
import { type SmppClient, textOf } from './client.ts';
import { SmppGateway } from './gateway.ts';
import { c, short, u8 } from './octets.ts';

export interface Submit {
  readonly service?: string;
  /** TON, NPI, address. */
  readonly from?: readonly [number, number, string];
  readonly to?: readonly [number, number, string];
  readonly esmClass?: number;
  readonly priority?: number;
  readonly schedule?: string;
  readonly expiry?: string;
  readonly registered?: number;
  readonly replace?: number;
  readonly coding?: number;
  readonly canned?: number;
  readonly text?: string;
  readonly tlvs?: readonly Uint8Array[];
}

const address = ([ton, npi, value]: readonly [number, number, string]) => [u8(ton, npi), c(value)];

/** Body of a submit_sm; of a submit_multi when the destinations are given. */
export function submit(
  fields: Submit = {},
  destinations: readonly Uint8Array[] = address(fields.to ?? [1, 1, '37060000002']),
): Uint8Array[] {
  const { service = '', from = [5, 0, 'Tank 7'], text = 'hello', tlvs = [] } = fields;
  return [
    ...[c(service), ...address(from), ...destinations, u8(fields.esmClass ?? 0, 0, fields.priority ?? 0)],
    ...[c(fields.schedule ?? ''), c(fields.expiry ?? '')],
    u8(fields.registered ?? 0, fields.replace ?? 0, fields.coding ?? 0, fields.canned ?? 0),
    ...[short(text), ...tlvs],
  ];
}

/** Submits and resolves to the message_id; throws for a status. */
export async function accepted(client: SmppClient, fields: Submit = {}): Promise<string> {
  const answer = await client.request('submit_sm', submit(fields));
  if (answer.status !== 0) throw new Error(`submit_sm: status 0x${answer.status.toString(16)}`);
  return textOf(answer);
}

/** A gateway whose modem is away, so that everything waits. */
export async function waiting(...args: Parameters<typeof SmppGateway.open>) {
  const gateway = await SmppGateway.open(...args);
  setReady(gateway, false);
  return gateway;
}

export function setReady({ rig }: SmppGateway, ready: boolean): void {
  rig.modem.ready = ready;
  rig.store.outbox.senderChanged('gsm0');
}

export const stored = async (gateway: SmppGateway, id: string): Promise<OutboxMessage> => {
  const message = (await gateway.rig.outbox()).find((each) => `${each.id}` === id);
  if (message === undefined) throw new Error(`no message ${id}`);
  return message;
};
