import { budgets, limitsOf } from '../../access/budgets.ts';

/** What the conversation with ubusd may cost. */
export const limits = limitsOf(budgets.ubus);
