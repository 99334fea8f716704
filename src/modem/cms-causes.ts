/** What a +CMS ERROR cause says: TS 24.011 E-2 (1 to 127), TS 23.040 9.2.3.22 (128 to 255), TS 27.005 3.2.5 (300 on). */
export interface CmsCause {
  readonly text: string;
  /** Sending the same message again cannot end otherwise. */
  readonly permanent: boolean;
  readonly fault: Fault;
}

/**
 * What is at fault: the message; the modem with its SIM, subscription and place, where any other message fails as well;
 * the network or the service centre; or something that the cause does not name.
 */
type Fault = 'message' | 'modem' | 'network' | 'unknown';

const permanent = (text: string, fault: Fault = 'message'): CmsCause => ({ text, permanent: true, fault });
const temporary = (text: string, fault: Fault = 'network'): CmsCause => ({ text, permanent: false, fault });

const causes: Readonly<Record<number, CmsCause>> = {
  1: permanent('unassigned number'),
  8: permanent('operator determined barring', 'modem'),
  10: permanent('call barred', 'modem'),
  21: temporary('short message transfer rejected'),
  27: temporary('destination out of service'),
  28: permanent('unidentified subscriber'),
  29: permanent('facility rejected', 'network'),
  30: permanent('unknown subscriber'),
  38: temporary('network out of order'),
  41: temporary('temporary failure'),
  42: temporary('congestion'),
  47: temporary('resources unavailable'),
  50: permanent('requested facility not subscribed', 'modem'),
  69: permanent('requested facility not implemented', 'network'),
  81: temporary('invalid transfer reference'),
  95: permanent('semantically incorrect message'),
  96: permanent('invalid mandatory information'),
  97: permanent('message type non-existent'),
  98: temporary('message not compatible with protocol state'),
  99: permanent('information element non-existent'),
  111: temporary('protocol error'),
  127: temporary('interworking'),
  128: permanent('telematic interworking not supported'),
  129: permanent('short message type 0 not supported'),
  130: permanent('cannot replace short message'),
  143: permanent('unspecified TP-PID error'),
  144: permanent('data coding scheme not supported'),
  145: permanent('message class not supported'),
  159: permanent('unspecified TP-DCS error'),
  176: permanent('TPDU not supported'),
  192: temporary('service centre busy'),
  193: permanent('no service centre subscription', 'modem'),
  194: temporary('service centre system failure'),
  195: permanent('invalid destination address'),
  196: permanent('destination barred'),
  // The service centre has it already.
  197: permanent('duplicate rejected'),
  198: permanent('validity period format not supported'),
  199: permanent('validity period not supported'),
  208: temporary('SIM storage full', 'modem'),
  211: temporary('memory capacity exceeded', 'modem'),
  212: temporary('SIM toolkit busy', 'modem'),
  300: temporary('modem failure', 'unknown'),
  301: temporary('SMS service of the modem reserved', 'modem'),
  302: temporary('operation not allowed', 'unknown'),
  303: permanent('operation not supported'),
  304: permanent('invalid PDU mode parameter'),
  310: temporary('SIM not inserted', 'modem'),
  311: temporary('SIM PIN required', 'modem'),
  312: temporary('PH-SIM PIN required', 'modem'),
  313: temporary('SIM failure', 'modem'),
  314: temporary('SIM busy', 'modem'),
  315: temporary('SIM wrong', 'modem'),
  316: temporary('SIM PUK required', 'modem'),
  317: temporary('SIM PIN2 required', 'modem'),
  318: temporary('SIM PUK2 required', 'modem'),
  320: temporary('memory failure', 'unknown'),
  322: temporary('memory full', 'modem'),
  330: temporary('service centre address unknown', 'modem'),
  331: temporary('no network service', 'modem'),
  332: temporary('network time-out', 'unknown'),
  500: temporary('unknown error', 'unknown'),
};

/** Causes that some modems write as words, as the three specifications name them; the first that fits counts. */
const inWords: readonly (readonly [RegExp, number])[] = [
  [/unassigned/i, 1],
  [/operator determined barring/i, 8],
  [/call barred/i, 10],
  [/transfer rejected/i, 21],
  [/destination out of (?:service|order)/i, 27],
  [/unidentified subscriber/i, 28],
  [/facility rejected/i, 29],
  [/unknown subscriber/i, 30],
  [/network out of order|network failure/i, 38],
  [/temporary failure/i, 41],
  [/congestion/i, 42],
  [/resources unavailable/i, 47],
  [/facility not subscribed/i, 50],
  [/facility not implemented/i, 69],
  [/invalid .*\breference/i, 81],
  [/semantically incorrect|invalid message/i, 95],
  [/mandatory information/i, 96],
  [/message type non-?existent/i, 97],
  [/not compatible/i, 98],
  [/information element non-?existent/i, 99],
  [/protocol error/i, 111],
  [/telematic interworking/i, 128],
  [/interworking/i, 127],
  [/type 0 not supported/i, 129],
  [/cannot replace/i, 130],
  [/TP-PID/i, 143],
  [/(?:coding scheme|alphabet).* not supported/i, 144],
  [/message class not supported/i, 145],
  [/TP-DCS/i, 159],
  [/TPDU not supported/i, 176],
  [/\b(?:SC|service cent(?:re|er)) busy/i, 192],
  [/no (?:SC|service cent(?:re|er)) subscription/i, 193],
  [/\b(?:SC|service cent(?:re|er)) (?:system )?failure/i, 194],
  [/invalid (?:SME|destination)/i, 195],
  [/destination (?:SME )?barred/i, 196],
  [/duplicate/i, 197],
  [/validity period format/i, 198],
  [/validity period/i, 199],
  [/storage full/i, 208],
  [/memory capacity exceeded/i, 211],
  [/toolkit busy/i, 212],
  [/^(?:ME|modem|phone) failure/i, 300],
  [/\breserved\b/i, 301],
  [/operation not allowed/i, 302],
  [/operation not supported/i, 303],
  [/invalid PDU mode/i, 304],
  [/SIM\)? not inserted/i, 310],
  [/PH-SIM PIN/i, 312],
  [/SIM\)? PIN2/i, 317],
  [/SIM\)? PIN/i, 311],
  [/SIM\)? PUK2/i, 318],
  [/SIM\)? PUK/i, 316],
  [/SIM\)? failure/i, 313],
  [/SIM\)? busy/i, 314],
  [/SIM\)? wrong/i, 315],
  [/memory failure/i, 320],
  [/invalid memory index/i, 321],
  [/memory full/i, 322],
  [/(?:SMSC|SCA|service cent(?:re|er)) address unknown/i, 330],
  [/no network/i, 331],
  [/network time-?out/i, 332],
  [/unknown error/i, 500],
];

/** The cause that words of a +CMS ERROR stand for; undefined for others. */
export const cmsCauseInWords = (text: string): number | undefined => inWords.find(([words]) => words.test(text))?.[1];

/** A cause without an entry may mean anything, so another try is worth it. */
export function cmsCause(cause: number | undefined): CmsCause {
  return (cause === undefined ? undefined : causes[cause]) ?? temporary('error without a known cause', 'unknown');
}

/**
 * Whose word a cause is. That of the network or the service centre (TS 24.011 E-2, TS 23.040 9.2.3.22) is certain: they
 * did not take the message. All others, and plain ERROR, are the modem's own.
 */
export const sourceOf = (cause: number | undefined): 'network' | 'modem' =>
  cause !== undefined && cause < 256 ? 'network' : 'modem';
