/** What a +CMS ERROR cause says: TS 24.011 E-2 (1 to 127), TS 23.040 9.2.3.22 (128 to 255), TS 27.005 3.2.5 (300 on). */
interface Cause {
  readonly text: string;
  /** Sending the same message again cannot end otherwise. */
  readonly permanent: boolean;
}

const permanent = (text: string): Cause => ({ text, permanent: true });
const temporary = (text: string): Cause => ({ text, permanent: false });

const causes: Readonly<Record<number, Cause>> = {
  1: permanent('unassigned number'),
  8: permanent('operator determined barring'),
  10: permanent('call barred'),
  21: temporary('short message transfer rejected'),
  27: temporary('destination out of service'),
  28: permanent('unidentified subscriber'),
  29: permanent('facility rejected'),
  30: permanent('unknown subscriber'),
  38: temporary('network out of order'),
  41: temporary('temporary failure'),
  42: temporary('congestion'),
  47: temporary('resources unavailable'),
  50: permanent('requested facility not subscribed'),
  69: permanent('requested facility not implemented'),
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
  193: permanent('no service centre subscription'),
  194: temporary('service centre system failure'),
  195: permanent('invalid destination address'),
  196: permanent('destination barred'),
  // The service centre has it already.
  197: permanent('duplicate rejected'),
  198: permanent('validity period format not supported'),
  199: permanent('validity period not supported'),
  208: temporary('SIM storage full'),
  211: temporary('memory capacity exceeded'),
  212: temporary('SIM toolkit busy'),
  300: temporary('modem failure'),
  301: temporary('SMS service of the modem reserved'),
  302: temporary('operation not allowed'),
  303: permanent('operation not supported'),
  304: permanent('invalid PDU mode parameter'),
  310: temporary('SIM not inserted'),
  311: temporary('SIM PIN required'),
  313: temporary('SIM failure'),
  314: temporary('SIM busy'),
  316: temporary('SIM PUK required'),
  320: temporary('memory failure'),
  322: temporary('memory full'),
  330: temporary('service centre address unknown'),
  331: temporary('no network service'),
  332: temporary('network time-out'),
  500: temporary('unknown error'),
};

/** A cause that nobody knows may be anything, so it is worth another try. */
export function cmsCause(cause: number | undefined): Cause {
  return (cause === undefined ? undefined : causes[cause]) ?? temporary('error without a known cause');
}
