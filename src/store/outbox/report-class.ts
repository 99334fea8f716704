import { statusOf } from '../../sms/index.ts';
import { progress } from './part.ts';

/** What TP-ST makes of a part: its final progress, or undefined while the service centre still tries. */
export function finalProgress(status: number) {
  switch (statusOf(status)) {
    case 'pending':
      return undefined;
    case 'delivered':
    case 'replaced':
      return progress.delivered;
    case 'expired':
      return progress.expired;
    default:
      return progress.undelivered;
  }
}
