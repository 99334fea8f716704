import { describeError, GatewayError } from '../../base/errors.ts';

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** States of the disk that may pass by themselves: the daemon goes on without a journal until they do. */
const passingCodes: ReadonlySet<string> = new Set([...fullCodes, 'EROFS', 'EIO']);

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export const isMissing = (error: unknown): boolean => errno(error) === 'ENOENT';
export const isReadOnly = (error: unknown): boolean => errno(error) === 'EROFS';
export const isPassing = (error: unknown): boolean => passingCodes.has(errno(error));

/** A failed file call as callers see it: `store_full` when space is what lacks, else `store_unavailable`. */
export function storeError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (fullCodes.has(errno(error))) return new GatewayError('store_full', 'the disk is full', { cause: error });
  return new GatewayError('store_unavailable', `the store cannot be used: ${describeError(error)}`, { cause: error });
}
