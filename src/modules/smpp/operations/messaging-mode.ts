// esm_class bits 1 and 0, SMPP 3.4 5.2.12.
const MODE = 0x03;
const TRANSACTION = 0x02;

/** Whether the client wants to be answered only when the network has the message, or will not have it. */
export const isTransaction = ({ esm_class }: { readonly esm_class: number }): boolean =>
  (esm_class & MODE) === TRANSACTION;
