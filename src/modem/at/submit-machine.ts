/**
 * AT+CMGS as a pure state machine (TS 27.005 3.5.1): no timers, no I/O. Whoever drives it writes the command when it
 * starts, the PDU or an ESC when an effect says so, and feeds what happens. The point of no return is the PDU: a
 * failure before it is certain, a missing answer after it is not.
 */
export type SubmitState =
  | { readonly at: 'sending' }
  | { readonly at: 'waitingForPrompt' }
  | { readonly at: 'sendingPdu' }
  | { readonly at: 'waitingForRef' }
  /** The reference is here, the final OK is not yet. */
  | { readonly at: 'waitingForOk'; readonly mr: number }
  /** `mr` is absent when the modem said OK alone. */
  | { readonly at: 'success'; readonly mr?: number }
  | { readonly at: 'failure'; readonly failure: SubmitFailure };

export type SubmitFailure =
  /** The modem refused; `cause` is that of +CMS ERROR. */
  | { readonly type: 'refused'; readonly cause?: number; readonly reason: string }
  /** Nothing was handed over. */
  | { readonly type: 'not_sent'; readonly reason: string }
  /** The PDU went out, and its fate is unknown. */
  | { readonly type: 'unanswered'; readonly reason: string };

export type SubmitInput =
  | { readonly type: 'written' }
  | { readonly type: 'prompt' }
  | { readonly type: 'reference'; readonly mr: number }
  | { readonly type: 'ok' }
  | { readonly type: 'refused'; readonly cause?: number; readonly reason: string }
  /** The deadline of the state passed, the port went, the modem restarted. */
  | { readonly type: 'broken'; readonly reason: string }
  /** The caller gave up. Heeded before the PDU only: after it, knowing how it ended is worth the wait. */
  | { readonly type: 'aborted' };

export interface SubmitStep {
  readonly state: SubmitState;
  /** `escape` leaves the modem's text entry. */
  readonly effect?: 'writePdu' | 'escape';
}

const stay = (state: SubmitState): SubmitStep => ({ state });
const failed = (failure: SubmitFailure): SubmitStep => ({ state: { at: 'failure', failure } });

function refused(input: SubmitInput & { type: 'refused' }): SubmitStep {
  return failed({
    type: 'refused',
    reason: input.reason,
    ...(input.cause === undefined ? {} : { cause: input.cause }),
  });
}

/** Before the PDU. */
function beforePdu(state: SubmitState, input: SubmitInput): SubmitStep {
  switch (input.type) {
    case 'prompt':
      return { state: { at: 'sendingPdu' }, effect: 'writePdu' };
    case 'written':
      return stay({ at: 'waitingForPrompt' });
    case 'refused':
      return refused(input);
    case 'broken':
      return { ...failed({ type: 'not_sent', reason: input.reason }), effect: 'escape' };
    case 'aborted':
      return { ...failed({ type: 'not_sent', reason: 'given up' }), effect: 'escape' };
    case 'ok':
      // An OK in place of the prompt: the modem did not take the command for what it is.
      return { ...failed({ type: 'not_sent', reason: 'no prompt' }), effect: 'escape' };
    case 'reference':
      return stay(state);
  }
}

function afterPdu(state: SubmitState, input: SubmitInput): SubmitStep {
  switch (input.type) {
    case 'written':
      return stay(state.at === 'sendingPdu' ? { at: 'waitingForRef' } : state);
    case 'reference':
      return stay({ at: 'waitingForOk', mr: input.mr });
    case 'ok':
      return stay(state.at === 'waitingForOk' ? { at: 'success', mr: state.mr } : { at: 'success' });
    case 'refused':
      return refused(input);
    case 'broken':
      // The reference alone proves that the network took it.
      if (state.at === 'waitingForOk') return stay({ at: 'success', mr: state.mr });
      return failed({ type: 'unanswered', reason: input.reason });
    case 'prompt':
    case 'aborted':
      return stay(state);
  }
}

export const submitStart: SubmitState = { at: 'sending' };

export function submitStep(state: SubmitState, input: SubmitInput): SubmitStep {
  switch (state.at) {
    case 'sending':
    case 'waitingForPrompt':
      return beforePdu(state, input);
    case 'sendingPdu':
    case 'waitingForRef':
    case 'waitingForOk':
      return afterPdu(state, input);
    case 'success':
    case 'failure':
      return stay(state);
  }
}
