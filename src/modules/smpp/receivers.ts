import { describeError, GatewayError } from '../../base/errors.ts';
import type { DeliveryOutcome } from '../host/contract.ts';
import type { PduToSend } from './codec.ts';
import type { Binding, Session } from './session.ts';
import { status, statusName } from './status.ts';

type Fields = NonNullable<PduToSend['fields']>;

/** The sessions that receive messages, by account. */
export class Receivers {
  readonly #byAccount = new Map<string, Session[]>();

  /** Adds a session that has bound as receiver or transceiver. */
  add(session: Session): void {
    const account = session.binding?.account.name;
    if (account === undefined) return;
    this.#byAccount.set(account, [...(this.#byAccount.get(account) ?? []), session]);
  }

  delete(session: Session): void {
    for (const [account, sessions] of this.#byAccount) {
      const left = sessions.filter((each) => each !== session);
      if (left.length > 0) this.#byAccount.set(account, left);
      else this.#byAccount.delete(account);
    }
  }

  /**
   * Sends deliver_sm to a session of the account, in turns; to another one when that disconnects. `fieldsFor` gives the
   * deliver_sm of a message in their order.
   */
  async send(account: string, fieldsFor: (binding: Binding) => readonly Fields[]): Promise<DeliveryOutcome> {
    for (let turn = this.#next(account); turn !== undefined; turn = this.#next(account)) {
      try {
        for (const fields of fieldsFor(turn.binding)) {
          const answer = await turn.session.deliver(fields);
          if (answer !== status.ROK) return outcomeOf(answer);
        }
        return { type: 'done' };
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'connection_failed') continue;
        return { type: 'retry', reason: describeError(error), passable: true };
      }
    }
    return { type: 'waiting', reason: `no receiver of ${account} is bound` };
  }

  #next(account: string): { readonly session: Session; readonly binding: Binding } | undefined {
    const bound = this.#byAccount.get(account)?.filter(({ binding }) => binding !== undefined) ?? [];
    const [session, ...others] = bound;
    if (session?.binding === undefined) return undefined;
    this.#byAccount.set(account, [...others, session]);
    return { session, binding: session.binding };
  }
}

/** The outcome of a delivery with this status in deliver_sm_resp. */
function outcomeOf(answer: number): DeliveryOutcome {
  const reason = `the client answered ${statusName(answer)}`;
  switch (answer) {
    case status.RX_P_APPN:
    case status.RX_R_APPN:
      return { type: 'rejected', reason };
    case status.RMSGQFUL:
    case status.RTHROTTLED:
      return { type: 'retry', reason };
    default:
      return { type: 'retry', reason, passable: 'at_once' };
  }
}
