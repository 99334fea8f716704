import { describeError, GatewayError } from '../../base/errors.ts';
import type { DeliveryOutcome } from '../host/contract.ts';
import type { Binding, Session } from './session.ts';
import { status, statusName } from './status.ts';
import type { PduToSend } from './wire/codec.ts';

type Fields = NonNullable<PduToSend['fields']>;

/** The sessions that take messages, by account. */
export class Receivers {
  readonly #byAccount = new Map<string, Session[]>();

  /** Takes up a session that has bound as a receiver. */
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
   * Hands deliver_sm over to a session of the account, each time to the next one; when that goes away meanwhile, to
   * another. Several belong together, in their order.
   */
  async handOver(account: string, fieldsFor: (binding: Binding) => readonly Fields[]): Promise<DeliveryOutcome> {
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

/** What the status in a deliver_sm_resp means for the message. */
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
