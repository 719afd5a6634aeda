/**
 * The fault matrix: what can go wrong, and what a user sees of it. Each row has a test in this folder whose name begins
 * with its number, or names the tests elsewhere that show it; `matrix.test.ts` looks, and `npm run docs` writes
 * `docs/fault-matrix.md`.
 */

interface Row {
  readonly fault: string
  /** What happens, for users. */
  readonly happens: string
  /** Tests elsewhere, as file and the beginning of their title. */
  readonly also?: readonly (readonly [file: string, title: string])[]
  /** What of it is not so yet. */
  readonly lacks?: string
  /** Why nothing shows it yet. */
  readonly open?: string
}

type FaultId = `F${number}`

/** In order, with the heading of each group. */
export const GROUPS: readonly { readonly title: string; readonly rows: Readonly<Record<FaultId, Row>> }[] = [
  {
    title: 'Connecting',
    rows: {
      F1: {
        fault: 'The name cannot be looked up: it does not exist, the resolver fails, or it does not answer',
        happens:
          'The next target answers; a resolver that is silent costs the time to connect (`timeouts.connect_ms`). From the second time in a row the provider rests; the key is untouched. Where every provider is away, the network is, and none is charged.',
      },
      F2: { fault: 'Connection refused', happens: 'The next target answers at once.' },
      F3: {
        fault: 'No answer to the connection (packets are dropped)',
        happens: 'The next target answers after `timeouts.connect_ms` (3 s).',
      },
      F4: {
        fault: 'TLS: expired, for another name, self-signed, of an unknown authority, stalled, or not TLS at all',
        happens:
          'Nothing is sent, and certificates are never left unverified. The next target answers; the cause is named in the attempt.',
      },
      F5: {
        fault: 'The connection is reset before the headers, or was closed while it was idle',
        happens: 'One new connection, which is no attempt of its own; then the next target.',
      },
    },
  },
  {
    title: 'Streams and their time',
    rows: {
      F6: {
        fault: 'Broken off behind the headers, before the first content',
        happens: 'The next target answers; the client sees one clean answer.',
      },
      F7: {
        fault: 'Broken off behind the first content',
        happens:
          'A stream ends with the error of its protocol, never like a whole answer, and what was used is booked as estimated. A plain answer is asked of the next target.',
        also: [['test/sdks/endings.test.ts', 'never takes an answer that broke off for a whole one']],
      },
      F8: {
        fault: 'A clean end without a finish, at every event and inside of each',
        happens: 'As F7, or as F6 before the first content.',
        also: [['test/gatewayTruncation.test.ts', 'never ends like a whole answer for']],
      },
      F9: { fault: 'Finished, but without `[DONE]`', happens: 'A whole answer.' },
      F10: {
        fault: 'No headers, or headers and then nothing',
        happens: 'The next target answers after `timeouts.first_token_ms`, plain answers as well.',
      },
      F11: {
        fault: 'A stream that stands still, or sends only comments',
        happens:
          'Before the first content the next target answers; behind it the stream ends with an error after `timeouts.idle_ms` (30 s). Comments count as life for two minutes.',
      },
      F12: {
        fault: 'One byte a second',
        happens: 'As F11: only whole events count as progress. A slow stream that goes on is not cut.',
      },
      F13: {
        fault: 'Pieces cut at any byte, inside characters too; other line ends, comments, a byte order mark',
        happens: 'The same answer.',
        also: [['test/recordings.test.ts', 'says the same however the network cuts it']],
      },
      F14: { fault: 'Invalid UTF-8, half surrogates, NUL', happens: 'Replaced by U+FFFD, or passed on.' },
      F15: {
        fault: 'Malformed JSON, unknown events, fields that are missing or of another type',
        happens:
          'What is unknown is skipped. What is malformed fails the stream: the next target before the first content, the error of the protocol behind it.',
      },
    },
  },
  {
    title: 'Headers and bodies',
    rows: {
      F16: {
        fault: 'A 200 with HTML, with nothing, or in another form than was asked for',
        happens:
          'The next target answers. A good answer under a wrong content type is read, and a whole answer in the place of a stream is told as one.',
      },
      F17: {
        fault: 'gzip, br or zstd that nobody asked for; cut, wrong, nested, or a bomb',
        happens: 'Decoded up to 64 MiB, else the next target answers.',
      },
      F18: {
        fault: '100, 102, 103 and others before the answer; 101 that nobody asked for',
        happens: 'The first are ignored; after 101 the next target answers.',
        also: [['test/ownMachine.test.ts', '100 before its answer']],
      },
      F19: { fault: 'A redirect', happens: 'Not followed: the key goes nowhere else. The next target answers.' },
      F20: {
        fault: 'An answer without an end',
        happens: 'Cut at 64 MiB, a single event at 4 MiB; the next target answers.',
      },
      F21: {
        fault: 'A 200 that holds an error: in the envelope, beside a choice, as the finish, as a blocked prompt',
        happens:
          'Counts as the failure it is, with what follows from that, and is credited to nobody. A blocked prompt is told to the client.',
      },
    },
  },
  {
    title: 'Limits',
    rows: {
      F22: {
        fault: 'A 429 that states its wait, in any form',
        happens:
          'The target rests that long, never less, and at most a tenth (and a minute) longer. A reset of a header is believed for no longer than the window of its limit.',
        also: [['test/statedTimes.test.ts', 'is kept to the minute:']],
      },
      F23: {
        fault: 'A 429 without a hint',
        happens: 'The target rests for 30 s, doubled by each that follows, up to 4 hours.',
      },
      F24: {
        fault: 'A day that is used up beside a short delay',
        happens: 'The target rests until the day of its provider ends, on days of 23 and 25 hours too.',
      },
      F25: {
        fault: 'All targets rest',
        happens:
          'Within the patience (`timeouts.patience_ms`) the request waits; else 429 at once, with `retry-after` of the soonest reset. One alert for an outage.',
      },
      F26: {
        fault: 'A clock that is a day off, jumps, or belongs to a laptop that slept',
        happens:
          'Durations are those of the monotonic clock. Dates are read by the clock of their sender. No rest grows because the clock was set back, and none is longer than 31 days.',
        also: [['test/quota.test.ts', 'a clock that jumps']],
      },
    },
  },
  {
    title: 'Clients',
    rows: {
      F27: {
        fault: 'The client leaves, before or while it is answered',
        happens: 'The upstream is left at once, everything is released, and what was used is booked.',
        also: [['test/gatewayFlow.test.ts', 'a hundred times leaves nothing behind']],
      },
      F28: {
        fault: 'A client that reads slowly, or not at all',
        happens: 'Its upstream is paused; less than 1 MiB is held for it.',
        also: [['test/gatewayFlow.test.ts', 'pauses its upstream, costs little memory']],
      },
      F44: {
        fault: 'Pipelining, kept-alive connections, `Expect`, chunks of a byte, HEAD, OPTIONS, an absolute address',
        happens: 'Answered in order, or refused with a 4xx; nothing hangs.',
        also: [['test/gatewayDoor.test.ts', 'requests sent at once are answered in their order']],
      },
    },
  },
  {
    title: 'Files',
    rows: {
      F29: {
        fault: '`kill -9` in the middle of a write',
        happens:
          'The store is whole afterwards, every answer that a client has read is in it, and nothing is booked twice. Calls that were cut off are there as well, charged to no target; what a budget held for them is free again a minute later.',
        also: [
          ['test/kills.test.ts', 'no answer that a client has read is missing after a kill'],
          ['test/kills.test.ts', 'nor when it kills itself in the middle of a write'],
          ['test/keptAnswers.test.ts', 'when its row is kept'],
          ['src/money/budget.test.ts', 'is free again by itself a minute after its last sign of life'],
          ['src/store/journal/line.test.ts', 'a journal cut off at any byte gives every line that was whole'],
          ['test/storeProcesses.test.ts', 'a process that is killed at any moment loses nothing that it called safe'],
        ],
      },
      F30: {
        fault: 'The disk is full, or fails',
        happens:
          'Requests go on from memory, `/readyz`, the metrics and the status say so, and what waits is written when there is room again.',
        also: [
          ['test/degradedStore.test.ts', 'on a full disk requests are answered'],
          ['src/store/sqlite/durability.test.ts', 'when the n-th system call fails, for every n'],
          ['src/store/sqlite/durability.test.ts', 'what does not fit a nearly full disk is stored in pieces'],
          ['src/store/sqlite/sqlite.test.ts', 'when the n-th operation fails, for every n'],
          ['src/store/sqlite/sqlite.test.ts', 'while the disk fails, keywise continues in memory'],
        ],
      },
      F31: {
        fault: 'A read-only file system, no home, no permission',
        happens: 'Everything works in memory, with one warning.',
        also: [
          ['test/degradedStore.test.ts', 'a store in memory is degraded from the start'],
          ['src/store/open.test.ts', 'a folder that cannot be created falls back to memory'],
          ['src/store/open.test.ts', 'a missing home folder falls back to memory'],
        ],
      },
      F32: {
        fault: 'A store or a file of statistics that is damaged, empty, cut, or of another version',
        happens:
          'What is damaged is set aside and said, keywise begins with the newest copy, and `keywise doctor --repair` brings the rest back. An older store is copied before it is changed; a newer one is refused and left as it is.',
        also: [
          ['src/store/sqlite/backups.test.ts', 'begins with the newest whole backup, and says so'],
          ['src/store/sqlite/backups.test.ts', 'gives back all rows that can be read'],
          ['src/store/sqlite/backups.test.ts', 'come before a migration'],
          ['test/repair.test.ts', 'a value that was changed in the file is found, named and mended'],
          ['src/store/sqlite/sqlite.test.ts', 'a file truncated at any length never throws'],
          ['src/store/sqlite/sqlite.test.ts', 'a file with one changed byte anywhere never throws'],
          ['src/store/sqlite/sqlite.test.ts', 'a store of a newer keywise is refused'],
        ],
      },
      F33: {
        fault: 'Several processes on one store',
        happens: 'Every call is counted once.',
        also: [
          ['test/storeProcesses.test.ts', 'processes that start at once'],
          ['src/store/sqlite/durability.test.ts', 'several processes that take over at once store each row once'],
          ['src/store/sqlite/backups.test.ts', 'of two processes that are due at once, one makes it'],
        ],
      },
      F34: {
        fault: 'The keys file is edited, saved by half, or loses a key while calls are under way',
        happens:
          'What is whole is in force within a second; what is not changes nothing, and is said with its line. Running calls end as they began.',
        also: [['src/config/watch.test.ts', 'an editor that truncates first and writes later']],
      },
      F43: {
        fault: 'A list of models that vanishes, changes, or is far too long',
        happens:
          'The last good one is kept, with its age. One that changes is followed; of more than 10,000 models or 10 MiB it is refused.',
      },
    },
  },
  {
    title: 'Keys and money',
    rows: {
      F35: {
        fault: 'A key is revoked while calls of it are under way',
        happens:
          'It rests after one clear refusal, and answers that had begun before do not bring it back. Other keys are unaffected. One alert.',
      },
      F45: {
        fault: 'Requests that race for the last cent of a budget',
        happens: 'What a request may cost is put aside before it is sent, so a hard budget is never exceeded.',
        also: [['test/budgets.test.ts', 'lets of 200 parallel calls against the last cent']],
      },
    },
  },
  {
    title: 'The process and its neighbours',
    rows: {
      F36: { fault: 'A Postgres store that is down, hangs, or fails over', happens: '', open: 'comes with that store' },
      F37: { fault: 'Nodes that cannot see the store for a minute', happens: '', open: 'comes with that store' },
      F38: {
        fault: 'SIGTERM with streams, readers of events and half-sent bodies',
        happens:
          'Nothing new is taken, running answers have 30 s to end, and what has not ended by then ends with the error of its protocol.',
        also: [['test/gatewayFlow.test.ts', 'lets running answers end, and takes nothing new']],
      },
      F39: { fault: 'An unexpected error inside of a request', happens: 'A 500 for that request alone.' },
      F40: {
        fault: 'A thousand requests that wait for one reset',
        happens: 'One goes first; the others follow spread out, and within the limit where it is known.',
        also: [['test/quotaDays.test.ts', '1,000 at once with time to wait']],
      },
      F41: {
        fault: 'The tester with all keys and models at once',
        happens: 'It keeps to what each account takes; interrupted, it leaves the results so far.',
        also: [
          ['src/tester/apiKeyTester.test.ts', 'testApiKeys() respects the number of concurrent calls per account'],
          ['src/tester/apiKeyTester.test.ts', 'testApiKeys() waits out a minute limit'],
          ['src/tester/apiKeyTester.test.ts', 'testApiKeys() keeps the results found so far when it is interrupted'],
        ],
      },
      F42: {
        fault: 'The process stands still, or has no more file descriptors',
        happens:
          'Nothing that happened meanwhile is counted against an upstream. A call for which no file descriptor was left waits a moment, else the answer is a 503 that says what to raise.',
        also: [['test/ownMachine.test.ts', 'it blames no target, and tells of it']],
      },
    },
  },
]

/** What `npm run docs` writes into docs/fault-matrix.md. */
export function matrixTables(): string {
  return GROUPS.map(({ title, rows }) => {
    const lines = Object.entries(rows).map(
      ([id, { fault, happens, lacks, open }]) =>
        `| ${id} | ${fault} | ${open === undefined ? happens : `Open: it ${open}.`}${lacks === undefined ? '' : ` Not yet: ${lacks}.`} |`,
    )
    return `## ${title}\n\n| | Fault | What happens |\n|---|---|---|\n${lines.join('\n')}\n`
  }).join('\n')
}
