import type { PostGetConfig } from '../../config/config.ts';
import type { ModuleContext } from '../module.ts';

export type PostGetContext = ModuleContext<PostGetConfig>;
