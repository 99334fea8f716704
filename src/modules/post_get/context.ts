import type { PostGetConfig } from '../../config/config.ts';
import type { ModuleContext } from '../host/contract.ts';

export type PostGetContext = ModuleContext<PostGetConfig>;
