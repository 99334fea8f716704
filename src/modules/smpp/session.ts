import { budgets } from '../../access/budgets.ts';
import { within } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { Account } from './accounts.ts';
import type { Pdu, PduToSend, Request } from './codec.ts';
import { isTransaction } from './content.ts';
import type { EsmeConnection } from './esme-connection.ts';
import { OpenRequests, Window } from './open-requests.ts';
import { unknownState } from './receipt.ts';
import { KeepAlive, Silence } from './silence.ts';
import { SmppError, status, statusName, statusOf } from './status.ts';

type Bind = Extract<Request, { command: 'bind_receiver' | 'bind_transmitter' | 'bind_transceiver' }>;
/** Requests about messages. */
export type OperationRequest = Exclude<Request, Bind | { command: 'unbind' | 'enquire_link' }>;
type Fields = NonNullable<PduToSend['fields']>;

const modes = { bind_transmitter: 'transmitter', bind_receiver: 'receiver', bind_transceiver: 'transceiver' } as const;

/** The server as a session sees it. */
export interface SessionHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds. `enquireLink` and `inactivity`: 0 for never. */
  readonly responseTimeout: number;
  readonly enquireLink: number;
  readonly inactivity: number;
  /** Rejects with SmppError. */
  login(bind: Bind['fields'], session: Session): Promise<Account>;
  bound(session: Session): void;
  /** Carries out a request; resolves to the parameters of its response. */
  serve(request: OperationRequest, binding: Binding): Promise<Fields>;
}

export interface SessionOptions {
  readonly connection: EsmeConnection;
  readonly address: string;
  /** Beyond the limits: it stays only until its bind is refused. */
  readonly unwanted: boolean;
}

/** The state of a bound session. */
export interface Binding {
  readonly account: Account;
  readonly address: string;
  readonly mode: (typeof modes)[keyof typeof modes];
  /** Whether the client knows optional parameters, SMPP 3.4 5.2.4. */
  readonly takesTlvs: boolean;
  readonly since: number;
}

/** system_id of the gateway in bind responses. */
const SYSTEM_ID = 'sms_gateway';
const VERSION_3_4 = 0x34;
/** From the connection to the bind (session_init_timer), ms. */
const BIND_MS = budgets.smpp.bindMs.limit;
const MAX_FAILED_BINDS = 3;
/** Deadline of the client's answer to unbind, ms. */
const UNBIND_MS = 2_000;

/** One connection of a client, SMPP 3.4 2.2: open, then bound, then closed. */
export class Session {
  readonly address: string;
  readonly #host: SessionHost;
  readonly #connection: EsmeConnection;
  readonly #own: OpenRequests;
  readonly #window = new Window();
  /** Requests in transaction mode, which wait for seconds: counted apart, as they must not stop the reading. */
  readonly #transactions = new Window();
  readonly #deliveries = new Window();
  readonly #unwanted: boolean;
  #binding: Binding | undefined;
  #keepAlive: KeepAlive | undefined;
  #inactivity: Silence | undefined;
  #failedBinds = 0;
  #submitted = 0;
  #delivered = 0;

  constructor(host: SessionHost, { connection, address, unwanted }: SessionOptions) {
    this.#host = host;
    this.#connection = connection;
    this.#unwanted = unwanted;
    this.#own = new OpenRequests(host.clock);
    this.address = address;
  }

  /** Undefined unless bound. */
  get binding(): Binding | undefined {
    return this.#binding;
  }

  /** Serves the client; resolves when the connection has ended. Never rejects. */
  async run(): Promise<void> {
    const cancel = this.#host.clock.after(BIND_MS, () => {
      if (this.#binding === undefined) this.#connection.destroy();
    });
    try {
      for await (const pdu of this.#connection.pdus()) await this.#take(pdu);
    } finally {
      cancel();
      this.#unbound();
    }
  }

  /** Sends deliver_sm; resolves to the status in the response. Rejects as OpenRequests.request. */
  async deliver(fields: Fields): Promise<number> {
    this.#inactivity?.heard();
    this.#deliveries.enter();
    try {
      const answer = await this.#ask('deliver_sm', this.#host.responseTimeout, fields);
      if (answer === status.ROK) this.#delivered += 1;
      return answer;
    } finally {
      this.#deliveries.leave();
    }
  }

  /** Sends unbind, answers the open requests, and ends the connection. Never rejects. */
  async unbind(): Promise<void> {
    const { clock } = this.#host;
    // A deliver_sm whose response is lost would be sent again.
    if (this.#binding !== undefined) {
      await within(this.#deliveries.idle(), 'deliver_sm', { clock, ms: UNBIND_MS }).catch(() => undefined);
      await this.#ask('unbind', UNBIND_MS).catch(() => undefined);
    }
    await this.#leave();
  }

  status(): JsonObject {
    const { account, mode, since } = this.#binding ?? {};
    return {
      address: this.address,
      ...(account && { account: account.name }),
      ...(mode && { mode }),
      ...(since !== undefined && { since: new Date(since).toISOString() }),
      ...{ submitted: this.#submitted, delivered: this.#delivered },
    };
  }

  async #take(pdu: Pdu): Promise<void> {
    this.#keepAlive?.heard();
    switch (pdu.type) {
      case 'response':
        this.#own.answered(pdu.sequence, pdu.status);
        return;
      case 'unknown':
        this.#connection.send({ command: 'generic_nack', sequence: pdu.sequence, status: status.RINVCMDID });
        return;
      case 'malformed':
        this.#refuse(pdu, pdu.status);
        return;
      case 'request':
        await this.#request(pdu);
    }
  }

  async #request(request: Request): Promise<void> {
    switch (request.command) {
      case 'bind_receiver':
      case 'bind_transmitter':
      case 'bind_transceiver':
        await this.#bind(request);
        return;
      case 'enquire_link':
        this.#answer(request);
        return;
      case 'unbind':
        if (this.#binding === undefined) {
          this.#refuse(request, status.RINVBNDSTS);
          return;
        }
        await this.#idle();
        this.#answer(request);
        await this.#leave();
        return;
      default:
        this.#inactivity?.heard();
        if (this.#binding === undefined || this.#binding.mode === 'receiver') {
          this.#refuse(request, status.RINVBNDSTS);
          return;
        }
        if (request.command === 'data_sm' && isTransaction(request.fields)) {
          if (this.#transactions.full) this.#refuse(request, status.RTHROTTLED);
          else void this.#serve(request, this.#binding, this.#transactions);
          return;
        }
        void this.#serve(request, this.#binding, this.#window);
        // Requests beyond the window stay in the socket.
        await this.#window.room();
    }
  }

  async #bind(bind: Bind): Promise<void> {
    try {
      if (this.#binding !== undefined) throw new SmppError(status.RALYBND);
      if (this.#unwanted) throw new SmppError(status.RBINDFAIL);
      this.#bound(bind, await this.#host.login(bind.fields, this));
    } catch (error) {
      this.#refuse(bind, statusOf(error));
      this.#host.log.debug(`bind from ${this.address} refused: ${describeError(error)}`);
      if (this.#binding !== undefined) return;
      this.#failedBinds += 1;
      if (this.#unwanted || this.#failedBinds >= MAX_FAILED_BINDS) this.#connection.refuse();
    }
  }

  #bound(bind: Bind, account: Account): void {
    const { clock, log, enquireLink, inactivity } = this.#host;
    const takesTlvs = bind.fields.interface_version >= VERSION_3_4;
    const mode = modes[bind.command];
    this.#binding = { account, address: this.address, mode, takesTlvs, since: clock.now() };
    this.#window.size = account.window;
    this.#transactions.size = account.window;
    this.#connection.trust();
    this.#keepAlive = new KeepAlive({
      ...{ clock, interval: enquireLink },
      ask: () => this.#ask('enquire_link', this.#host.responseTimeout),
      dead: () => this.#dead(),
    });
    this.#inactivity = new Silence(clock, inactivity, () => void this.unbind());
    const version = takesTlvs ? { sc_interface_version: VERSION_3_4 } : {};
    this.#answer(bind, { system_id: SYSTEM_ID, ...version });
    log.info(`${account.name} bound as ${mode} from ${this.address}`);
    this.#host.bound(this);
  }

  /** Never rejects. */
  async #serve(request: OperationRequest, binding: Binding, window: Window): Promise<void> {
    window.enter();
    try {
      const fields = await this.#host.serve(request, binding);
      if (request.command.startsWith('submit') || request.command === 'data_sm') this.#submitted += 1;
      this.#answer(request, fields);
    } catch (error) {
      this.#refuse(request, statusOf(error), error instanceof SmppError ? error.fields : {});
      const text = `${request.command} of ${binding.account.name}: ${statusName(statusOf(error))}, ${describeError(error)}`;
      if (error instanceof SmppError || error instanceof GatewayError) this.#host.log.debug(text);
      else this.#host.log.error(text);
    } finally {
      window.leave();
    }
  }

  /** Resolves when all requests of the client are answered. */
  async #idle(): Promise<void> {
    await Promise.all([this.#window.idle(), this.#transactions.idle()]);
  }

  #answer({ command, sequence }: Pick<Request, 'command' | 'sequence'>, fields: Fields = {}): void {
    this.#connection.send({ command: `${command}_resp`, sequence, fields });
  }

  /** Answers with an error; `fields` are parameters of this error only. */
  #refuse({ command, sequence, fields: asked }: Refused, value: number, fields: Fields = {}): void {
    const body = { ...errorFields(command, asked), ...fields };
    this.#connection.send({ command: `${command}_resp`, sequence, status: value, fields: body });
  }

  #ask(command: 'deliver_sm' | 'enquire_link' | 'unbind', ms: number, fields: Fields = {}): Promise<number> {
    return this.#own.request(ms, (sequence) => this.#connection.send({ command, sequence, fields }));
  }

  #dead(): void {
    this.#host.log.info(`${this.#binding?.account.name} at ${this.address} does not answer enquire_link: disconnected`);
    this.#connection.destroy();
  }

  async #leave(): Promise<void> {
    await this.#idle();
    this.#unbound();
    this.#connection.end();
  }

  #unbound(): void {
    if (this.#binding !== undefined) this.#host.log.info(`${this.#binding.account.name} at ${this.address} unbound`);
    this.#binding = undefined;
    this.#keepAlive?.stop();
    this.#inactivity?.stop();
    this.#own.close();
  }
}

type Refused = Pick<Request, 'command' | 'sequence'> & { readonly fields: object };

/** The body of an error response, for the commands that have one. */
function errorFields(command: Request['command'], asked: object): Fields {
  if (command === 'bind_transceiver') return { system_id: SYSTEM_ID };
  if (command !== 'query_sm') return {};
  const id = 'message_id' in asked && typeof asked.message_id === 'string' ? asked.message_id : '';
  return { message_id: id, message_state: unknownState.value };
}
