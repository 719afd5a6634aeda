/** A streamed answer, as callers of the library see it. */

import type { Usage } from '../domain/chat.ts'
import type { MediaOutput } from './mediaOutput.ts'

/** One step of a streamed answer. */
export type StreamEvent =
  /** The next piece of the answer's text. */
  | { readonly type: 'text-delta'; readonly text: string }
  /** The next piece of what the model thought, where the provider shows it. */
  | { readonly type: 'reasoning-delta'; readonly text: string }
  /** A whole tool call; `arguments` is JSON text. */
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly arguments: string }
  /** A whole picture or recording of the answer. */
  | { readonly type: 'media'; readonly media: MediaOutput }
  /** Tokens so far; the last one counts. */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** The answer is complete; a stream that broke off throws instead. */
  | { readonly type: 'end'; readonly finishReason: string }

/** The events of one answer, to be read once with `for await`. */
export interface CallStream<Result> extends AsyncIterable<StreamEvent> {
  /** Resolves at the end of the stream; rejects when it broke off or no target answered. */
  readonly result: Promise<Result>
}
