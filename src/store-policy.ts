import type { GatewayConfig } from './config/config.ts';
import type { StorePolicy } from './store/store.ts';

const HOUR_S = 3_600;

/** The rules of the store, from the `gateway` section. */
export function storePolicy(gateway: GatewayConfig): StorePolicy {
  return {
    sync: gateway.sync,
    inbox: { capacity: gateway.capacity, evict: gateway.evict, partTimeoutHours: gateway.part_timeout },
    outbox: {
      queueLimit: gateway.queue_limit,
      validitySeconds: gateway.validity * HOUR_S,
      ambiguous: gateway.ambiguous,
      keepDays: gateway.keep_sent,
      keepCount: gateway.keep_sent_max,
      transliterate: gateway.transliterate,
      nationalTables: gateway.national_tables,
    },
  };
}
