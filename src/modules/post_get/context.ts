import type { PostGetConfig } from '../../config/config.ts';
import type { ModuleContext } from '../host/module.ts';

export type PostGetContext = ModuleContext<PostGetConfig>;
