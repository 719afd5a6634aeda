/** A streamed answer, as callers of the library see it. */

import type { Usage } from '../domain/chat.ts'

export type StreamEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly arguments: string }
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'end'; readonly finishReason: string }

export interface CallStream<Result> extends AsyncIterable<StreamEvent> {
  /** Resolves at the end of the stream; rejects when it broke off or no target answered. */
  readonly result: Promise<Result>
}
