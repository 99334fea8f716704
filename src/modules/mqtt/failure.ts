import { GatewayError } from '../../base/errors.ts';
import { connectionFailure } from '../kit/tls.ts';

/** A broker does not say which of them it is: Mosquitto answers 5 and 135 to a wrong password. */
const LOGIN = 'refuses the login: user name or password is wrong, or the account may not connect';

/** For a broker that does not speak TLS on its port. */
const IN_CLEAR = 'the port is wrong, mostly it is 8883, or tls belongs off';

/** MQTT 5.0 2.4: of the login, of a publication, or of a subscription. */
const NOT_AUTHORIZED = 135;

/** Reason codes of CONNACK and DISCONNECT in words: MQTT 3.1.1 3.2.2.3, MQTT 5.0 3.2.2.2 and 3.14.2.1. */
const reasons: Readonly<Record<number, string>> = {
  1: 'does not speak this version of MQTT',
  2: 'refuses the client id',
  3: 'is not available',
  4: LOGIN,
  5: LOGIN,
  130: 'does not keep to the protocol',
  132: 'does not speak this version of MQTT',
  133: 'refuses the client id',
  134: LOGIN,
  135: 'does not allow this account to do that',
  136: 'is not available',
  137: 'is busy',
  138: 'has banned this client',
  139: 'is shutting down',
  141: 'did not hear from the gateway in time',
  142: 'has another client with the same client id: each needs its own',
  144: 'refuses the name of the topic',
  149: 'refuses a packet for its size',
  151: 'has a quota that is used up',
  153: 'refuses the form of the payload',
  154: 'does not retain messages, see the option retain',
  155: 'does not take this QoS',
};

/** What a broker has refused, with its reason code. */
class Refusal extends GatewayError {
  readonly reasonCode: number;

  /** `isLogin`: it is the answer to CONNECT. */
  constructor(reasonCode: number, broker: string, isLogin: boolean) {
    const known = isLogin && reasonCode === NOT_AUTHORIZED ? LOGIN : reasons[reasonCode];
    const words = known ?? `ended the connection with reason code ${reasonCode}`;
    super('peer_rejected', `the broker ${broker} ${words}`);
    this.reasonCode = reasonCode;
  }
}

/** Whether the broker wants an older version of the protocol. */
export const wantsOlder = (error: unknown): boolean => error instanceof Refusal && [1, 132].includes(error.reasonCode);

/** Whether the broker retains nothing (MQTT 5.0 3.2.2.3.5), and ended the connection for that. */
export const keepsNothing = (error: unknown): boolean => error instanceof Refusal && error.reasonCode === 154;

/** Whether the broker will never take this publication. */
export const isHopeless = (error: unknown): boolean =>
  error instanceof GatewayError &&
  (error.code === 'too_large' || (error instanceof Refusal && [144, 149, 153].includes(error.reasonCode)));

/** Anything that went wrong, in words; `broker` says which one. A number is a reason code. */
export function failure(reason: unknown, broker: string, isLogin = false): GatewayError {
  if (reason instanceof GatewayError) return reason;
  const code =
    typeof reason === 'number' ? reason : reason instanceof Error && 'code' in reason ? reason.code : undefined;
  if (typeof code === 'number') return new Refusal(code, broker, isLogin);
  const words = code === 'ECONNREFUSED' ? 'nothing listens there' : connectionFailure(reason, IN_CLEAR);
  return new GatewayError('connection_failed', `cannot connect to the broker ${broker}: ${words}`);
}
