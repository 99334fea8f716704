import { describeError, GatewayError, toGatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CgiAnswer, CgiLogin, CgiRequest, GatewayModule } from '../host/contract.ts';
import { answerOf, errorReply, formOf, methodNotAllowed, parametersOf, type Reply } from './cgi.ts';
import { Login } from './login.ts';
import type { PostGetContext } from './scripts.ts';
import { type DateWriter, dateWriter, smsDelete, smsList, smsRead, smsSend, smsTotal } from './scripts.ts';

/**
 * Post/Get: the cgi-bin URLs of the original, with its answers. The checks in order, of which the first failure is
 * answered: method (405), switched on (`Disabled`), address, lock-out, login (`Bad username or password`), recipient and
 * text given (`"…" parameter is required`), number (`WRONG_NUMBER`) or group, then store and modem. docs/post-get.md lists
 * all answers.
 */
export class PostGet implements GatewayModule {
  readonly #context: PostGetContext;
  #login: Login | undefined;
  #removeDoor = () => {};
  #factoryPassword = false;
  #requests = 0;

  constructor(context: PostGetContext) {
    this.#context = context;
  }

  /** Throws GatewayError `config_invalid`. */
  async start(): Promise<void> {
    const { config, access, clock, log, signal } = this.#context;
    const login = new Login({ config, access, clock, log });
    this.#factoryPassword = await login.hasFactoryPassword(signal);
    this.#login = login;
    this.#removeDoor = access.addDoor('cgi', () => login.usage());
  }

  async stop(): Promise<void> {
    this.#login = undefined;
    this.#removeDoor();
  }

  get counters(): Readonly<Record<string, number>> {
    return { requests: this.#requests, refused: this.#login?.refused ?? 0, locked_out: this.#login?.lockedOut ?? 0 };
  }

  status(): JsonObject {
    return { factory_password: this.#factoryPassword };
  }

  async cgi(request: CgiRequest, signal: AbortSignal): Promise<CgiAnswer> {
    this.#requests++;
    if (request.method !== 'GET' && request.method !== 'POST') return methodNotAllowed;
    const parameters = parametersOf(request);
    const reply = await this.#reply(request, parameters, signal).catch((error) => errorReply(toGatewayError(error)));
    if (reply.error?.code === 'internal' && !signal.aborted) {
      this.#context.log.error(`${request.script} failed: ${describeError(reply.error)}`);
    }
    return answerOf(reply, formOf(parameters, this.#context.config));
  }

  async cgiLogin({ username, password, ...from }: CgiLogin, signal: AbortSignal): Promise<void> {
    if (this.#login === undefined) throw new GatewayError('stopping', 'Post/Get is stopping');
    // The factory password sends only where the options allow it, and is good for little else.
    const request = { ...from, script: 'sms_send', method: 'POST', query: '', contentType: '', body: '' };
    await this.#login.check({ username, password }, request, signal);
  }

  async #reply(request: CgiRequest, parameters: ReadonlyMap<string, string>, signal: AbortSignal): Promise<Reply> {
    const { inbox } = this.#context;
    if (this.#login === undefined) throw new GatewayError('stopping', 'Post/Get is stopping');
    const username = parameters.get('username') ?? '';
    const password = parameters.get('password') ?? '';
    const client = await this.#login.check({ username, password }, request, signal);
    switch (request.script) {
      case 'sms_list':
        return smsList(this.#context, parameters, await this.#dates(), { room: request.room, signal });
      case 'sms_read':
        return smsRead(inbox, parameters, await this.#dates());
      case 'sms_send':
        return smsSend(this.#context, parameters, { username, address: client }, signal);
      case 'sms_total':
        return smsTotal(inbox);
      case 'sms_delete':
        return smsDelete(inbox, parameters);
      default:
        throw new GatewayError('object_not_found', 'no such script');
    }
  }

  async #dates(): Promise<DateWriter> {
    const { config, system } = this.#context;
    return dateWriter(config.date_format, await system.timeZone());
  }
}
