import type { Socket } from 'node:net';
import { AddressList } from '../../access/address.ts';
import { LoginGuard } from '../../access/login-guard.ts';
import { ServerCertificate } from '../../access/server-certificate.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { OutboxMessage } from '../../store/message.ts';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  DeliveryRequest,
  GatewayModule,
  ModuleContext,
} from '../host/contract.ts';
import { type Account, Accounts, type Guess, type SmppSections } from './accounts.ts';
import { smppAddress } from './address.ts';
import type { PduToSend } from './codec.ts';
import { EsmeConnection } from './esme-connection.ts';
import { incomingFields } from './incoming.ts';
import type { Fields } from './layout.ts';
import { Admission, Listeners } from './listeners.ts';
import { operate } from './operations.ts';
import { accountOf, decodeReceipt, encodeReceipt, receiptFields, receiptOf, tagOf } from './receipt.ts';
import { Receivers } from './receivers.ts';
import { type Binding, type OperationRequest, Session, type SessionHost } from './session.ts';
import { SmppError, status } from './status.ts';

/** Least number of deliveries under way at once; the windows of the accounts may allow more. */
const CONCURRENCY = 16;

/**
 * The SMPP 3.4 server. Clients submit to the outbox. Received messages and receipts go to the bound receivers of each
 * account, in order and within its window; without a receiver they wait in the store.
 */
export class SmppServer implements GatewayModule, SessionHost {
  readonly concurrency: number;
  readonly counters = { binds: 0, refused: 0, throttled: 0, delivered: 0, receipts: 0 };
  readonly clock;
  readonly log;
  readonly responseTimeout: number;
  readonly enquireLink: number;
  readonly inactivity: number;
  readonly #context: ModuleContext<SmppSections>;
  readonly #accounts: Accounts;
  readonly #guard: LoginGuard;
  #factoryPassword = false;
  readonly #receivers = new Receivers();
  readonly #sessions = new Map<Session, Promise<void>>();
  #listeners: Listeners | undefined;
  #certificate: ServerCertificate | undefined;
  #removeDoor = () => {};

  constructor(context: ModuleContext<SmppSections>) {
    const { smpp } = context.config;
    this.#context = context;
    this.clock = context.clock;
    this.log = context.log;
    this.responseTimeout = smpp.response_timeout * 1000;
    this.enquireLink = smpp.enquire_link * 1000;
    this.inactivity = smpp.inactivity_timeout * 1000;
    this.#accounts = new Accounts(context.config, context.clock);
    const windows = [...this.#accounts].map(({ deliverWindow }) => deliverWindow);
    this.concurrency = Math.max(
      CONCURRENCY,
      windows.reduce((sum, each) => sum + each, 0),
    );
    const { access, clock, log } = context;
    const rules = { maxFailures: smpp.max_failures, lockout: smpp.lockout };
    this.#guard = new LoginGuard({ clock, log, rules, access });
  }

  /** Throws GatewayError config_invalid, connection_failed. */
  async start(): Promise<void> {
    const { access, config, signal } = this.#context;
    const { smpp } = config;
    this.#factoryPassword = await this.#accounts.hasFactoryPassword(signal);
    if (this.#factoryPassword) {
      this.log.warning('the factory password is still set: only clients with private addresses may bind with it');
    }
    const admission = new Admission({
      maxSessions: smpp.max_sessions,
      maxPerAddress: smpp.max_sessions_per_address,
      known: access.known,
      allowed: smpp.allow_from.length === 0 ? undefined : new AddressList(smpp.allow_from),
      isLocked: (address) => this.#guard.isLocked(address),
    });
    this.#listeners = new Listeners({
      host: smpp.address,
      plainPort: smpp.port === 0 ? undefined : smpp.port,
      tls: await this.#tls(),
      admission,
      log: this.log,
      connected: (socket, address, unwanted) => this.#connected(socket, address, unwanted),
    });
    await this.#listeners.start();
    this.#removeDoor = access.addDoor('smpp', () => ({ ...admission.usage(), ...this.#guard.usage() }));
  }

  async stop(): Promise<void> {
    this.#removeDoor();
    this.#certificate?.stop();
    const closed = this.#listeners?.stop();
    await Promise.all([...this.#sessions.keys()].map((session) => session.unbind()));
    await Promise.all(this.#sessions.values());
    await closed;
  }

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    if (event.kind === 'modem') return [];
    if (event.kind === 'receipt') return this.#receiptsFor(event.message);
    const { message } = event;
    if (!this.#context.config.smpp.every_sms && this.#context.isRuleMessage(message)) return [];
    return [...this.#accounts].filter((account) => account.receives(message)).map(({ name }) => ({ target: name }));
  }

  window(target: string): number {
    return this.#accounts.find(target)?.deliverWindow ?? 1;
  }

  async deliver(delivery: Delivery): Promise<DeliveryOutcome> {
    const { target } = delivery;
    if (!this.#accounts.knows(target)) return noAccount;
    if (delivery.kind !== 'message') return this.#deliverReceipt(delivery.note, target);
    const { message } = delivery;
    const to = smppAddress(this.#context.modems.find(message.modem)?.fact('number') ?? '');
    const outcome = await this.#receivers.send(target, ({ takesTlvs, account: { alphabet, longMessages } }) =>
      incomingFields(message, { to, alphabet, longMessages: takesTlvs ? longMessages : 'parts' }),
    );
    if (outcome.type === 'done') this.counters.delivered += 1;
    return outcome;
  }

  #receiptsFor(message: OutboxMessage): readonly DeliveryRequest[] {
    const account = accountOf(message);
    const tag = tagOf(message);
    const receipt = tag && receiptOf(message, tag);
    if (account === undefined || receipt === undefined) return [];
    return [{ target: account, note: encodeReceipt(receipt) }];
  }

  async #deliverReceipt(note: string, target: string): Promise<DeliveryOutcome> {
    const receipt = decodeReceipt(note);
    const outcome = await this.#receivers.send(target, ({ takesTlvs }) => [receiptFields(receipt, takesTlvs)]);
    if (outcome.type === 'done') this.counters.receipts += 1;
    return outcome;
  }

  async login(bind: Fields<'bind_transceiver'>, { address }: Session): Promise<Account> {
    const { signal } = this.#context;
    try {
      let found: Account | Guess = status.RINVSYSID;
      const verdict = await this.#guard.attempt({ address, account: bind.system_id, signal }, async () => {
        found = await this.#accounts.login(bind, address, signal);
        return typeof found !== 'number';
      });
      const account = found as Account | Guess;
      if (verdict === 'busy') throw new SmppError(status.RTHROTTLED);
      if (verdict !== 'right' && verdict !== 'wrong') throw new SmppError(status.RBINDFAIL);
      if (typeof account === 'number') throw new SmppError(account);
      const bound = [...this.#sessions.keys()].filter(({ binding }) => binding?.account === account);
      if (bound.length >= account.maxSessions) throw new SmppError(status.RBINDFAIL);
      this.counters.binds += 1;
      return account;
    } catch (error) {
      this.counters.refused += 1;
      throw error;
    }
  }

  bound(session: Session): void {
    const { account, mode } = session.binding ?? {};
    if (account === undefined || mode === 'transmitter') return;
    this.#receivers.add(session);
    this.#context.wake(account.name);
  }

  async serve(request: OperationRequest, binding: Binding): Promise<NonNullable<PduToSend['fields']>> {
    const { outbox, shared, clock, signal } = this.#context;
    try {
      return await operate(request, { binding, outbox, groups: shared.groups, clock, signal });
    } catch (error) {
      if (error instanceof SmppError && error.status === status.RTHROTTLED) this.counters.throttled += 1;
      throw error;
    }
  }

  status(): JsonObject {
    return {
      sessions: [...this.#sessions.keys()].map((session) => session.status()),
      locked_out: this.#guard.locked,
      factory_password: this.#factoryPassword,
      ...(this.#certificate !== undefined && { certificate: this.#certificate.status() }),
    };
  }

  #connected(socket: Socket, address: string, unwanted: boolean): Session {
    const session = new Session(this, {
      connection: new EsmeConnection(socket, this.clock, this.#context.access.memory.input),
      address,
      unwanted,
    });
    const ended = session.run().finally(() => {
      this.#sessions.delete(session);
      this.#receivers.delete(session);
    });
    this.#sessions.set(session, ended);
    return session;
  }

  async #tls() {
    const { tls_port: port, tls_cert: cert, tls_key: key } = this.#context.config.smpp;
    if (port === undefined || cert === undefined || key === undefined) return undefined;
    const certificate = new ServerCertificate({ files: { cert, key }, clock: this.clock, log: this.log });
    this.#certificate = certificate;
    await certificate.start();
    if (certificate.context === undefined) {
      certificate.stop();
      throw new GatewayError('config_invalid', `tls_cert or tls_key: ${certificate.error ?? 'unusable'}`);
    }
    return { port, context: () => certificate.context };
  }
}

const noAccount: DeliveryOutcome = {
  type: 'rejected',
  reason: 'the account is not in the config any more',
  moot: true,
};
