/** A body that is too large to be held: read anew each time that it is sent, a piece at a time. */
export interface BodySource extends AsyncIterable<Buffer> {
  readonly bytes: number
}
