/** How a delivery of an incoming message ended, when it did. */
export type DeliveryOutcome =
  | { readonly type: 'done' }
  /**
   * Try again later; not before `after` ms have passed when the other side asked for that. `passable`: the fault may
   * lie in the message, so that those behind it go first, when this happens time and again or at once.
   */
  | {
      readonly type: 'retry';
      readonly reason: string;
      readonly after?: number;
      readonly passable?: boolean | 'at_once';
    }
  /** There is nobody to take it: tried again when the module calls `ctx.wake` for the target. No failed try. */
  | { readonly type: 'waiting'; readonly reason: string }
  /** Never to be tried again. `moot`: nothing went wrong, there is only nothing left to do. */
  | { readonly type: 'rejected'; readonly reason: string; readonly moot?: true };
