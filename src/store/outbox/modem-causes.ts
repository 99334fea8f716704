/**
 * Causes of `+CMS ERROR` (TS 27.005 3.2.5) that say nothing about the message: the modem, its SIM or its place has a
 * problem that any other message would meet as well. Whether another cause is worth a retry, the sender tells.
 */
const modemCauses: ReadonlySet<number> = new Set([
  301, // SMS service of ME reserved
  310, // SIM not inserted
  311, // SIM PIN required
  312, // PH-SIM PIN required
  313, // SIM failure
  314, // SIM busy
  315, // SIM wrong
  316, // SIM PUK required
  317, // SIM PIN2 required
  318, // SIM PUK2 required
  322, // memory full
  330, // SMSC address unknown
  331, // no network service
]);

export const isModemCause = (cause: number | undefined): boolean => cause !== undefined && modemCauses.has(cause);

/**
 * Whether the network or the service centre said it (TS 24.011 E-2, TS 23.040 9.2.3.22): then the message was not sent.
 * All others are the modem's own word (TS 27.005 3.2.5, vendors' causes, plain ERROR).
 */
export const isNetworkCause = (cause: number | undefined): boolean => cause !== undefined && cause < 256;
