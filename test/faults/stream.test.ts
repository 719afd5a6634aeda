/** Streams that break off, stand still, drip, come in slivers, or hold what does not belong there. */

import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { dialectOf } from '../../src/dialects/dialects.ts'
import type { DialectId } from '../../src/domain/chat.ts'
import { Dice } from '../../src/domain/random.ts'
import { DIALECTS, textOf } from '../support/askGateway.ts'
import {
  BROKEN,
  EVERY_WAY,
  expectAnswer,
  expectBrokenOff,
  expectCascade,
  FIRST_WORD,
  LONG,
  MIDDLE_WORD,
  openFaultWorld,
  REPLY,
  sampled,
} from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import { http, scriptedUpstream, sse, wholeAnswer, wholeStream } from '../support/faults/scriptedUpstream.ts'
import { HandClock } from '../support/handClock.ts'
import { chatBytes, harmfulCut, recordedStreams, replay, typedBytes } from '../support/replay.ts'

const ENDS = ['reset', 'close', 'half-close'] as const
const PLACES = [{ after: '\r\n\r\n' }, { before: FIRST_WORD }] as const

describe.each(EVERY_WAY)('a client of %s (streamed: %s)', (dialect, stream) => {
  test('F6 broken off behind the headers, before the first content: the next target answers', async () => {
    const world = await openFaultWorld({ dialect })
    const cases = ENDS.flatMap((end) => PLACES.map((place) => [end, place] as const))
    for (const [end, place] of sampled(cases, dialect, stream)) {
      world.renew()
      world.strike(end, place)
      await expectCascade(world, stream, 'network')
      await world.expectReleased()
    }
  })

  if (!stream) {
    test('F7 broken off in the middle of a plain answer: the next target answers', async () => {
      const world = await openFaultWorld({ dialect })
      for (const end of ENDS) {
        world.renew()
        world.strike(end, { after: MIDDLE_WORD })
        await expectCascade(world, false, 'network')
        await world.expectReleased()
      }
    })
    return
  }

  test('F7 broken off behind the first content: an error of the protocol, and what was used is booked', async () => {
    const world = await openFaultWorld({ dialect })
    for (const end of ENDS) {
      world.renew()
      world.strike(end, { after: MIDDLE_WORD })
      await expectBrokenOff(world, await world.ask(true), 'network')
    }
  })

  test('F8 a clean end without a finish, behind every event and inside of each: never a whole answer', async () => {
    const { world, says } = await openScripted(dialect)
    const events = wholeStream(dialect, [FIRST_WORD, ' bravo', ' charlie'])
    const text = events.join('')
    const finish = finishOf(dialect, text)
    const cuts = [...text.matchAll(/\n\n/g)].flatMap(({ index }) => [index - 9, index + 2])
    for (const cut of cuts.filter((at) => at < finish)) {
      const half = text.indexOf('\n\n', text.indexOf(FIRST_WORD)) + 2
      says(cut > half ? inTwo(text.slice(0, half), text.slice(half, cut)) : sse(text.slice(0, cut)))
      const answer = await world.ask(true)
      if (answer.trail?.includes('fallback'))
        expectAnswer(answer, 'primary/first-model#1=server; fallback/second-model#1=ok')
      else await expectBrokenOff(world, answer, 'server')
      expect(world.ledger().filter(({ target }) => target.provider === 'primary')).toMatchObject([{ ok: false }])
    }
  })

  test('F9 finished, but without the last line: a whole answer', async () => {
    const { world, says } = await openScripted(dialect)
    const text = wholeStream(dialect).join('')
    // Responses and Anthropic have an event that ends the stream, and nothing behind it.
    says(sse(text.replace('data: [DONE]\n\n', '').replace(/\n\n$/, '\n')))
    expectAnswer(await world.ask(true), 'primary/first-model#1=ok')
  })

  test('F11 standing still before the first content: the next target answers', async () => {
    const world = await openFaultWorld({
      dialect,
      clock: new HandClock(),
      settings: { timeouts: { first_token_ms: 4000 } },
    })
    world.strike('silence', { before: FIRST_WORD })
    expectAnswer(await world.askWhile(2100, true), 'primary/first-model#1=timeout; fallback/second-model#1=ok')
    await world.expectReleased()
  })

  test('F11 standing still behind it: an error of the protocol after the time to idle', async () => {
    const world = await openFaultWorld({ dialect, clock: new HandClock() })
    world.strike('silence', { after: MIDDLE_WORD })
    await expectBrokenOff(world, await world.askWhile(16_000, true), 'timeout')
    expect(world.ledger()[0]?.failure).toMatchObject({ phase: 'idle' })
  })

  test('F13 in slices of a byte and in random ones: the same bytes', async () => {
    const text = wholeStream(dialect, ['Grüße 👋🏽', ' \u2028 日本', ' ok']).join('')
    const upstream = await scriptedUpstream(() => sse(text))
    const world = await openFaultWorld({ dialect, behind: upstream.endpoint })
    const whole = await world.ask(true)
    for (const slicer of [{ bytes: LONG ? 1 : 5 }, { bytes: 7, varied: true }, { bytes: 60, varied: true }]) {
      world.renew()
      world.proxy.add({ do: 'slicer', ...slicer })
      const answer = await world.ask(true)
      expect(answer.text.replaceAll(/"created(?:_at)?":\d+/g, '')).toBe(
        whole.text.replaceAll(/"created(?:_at)?":\d+/g, ''),
      )
      expect(textOf(answer.read)).toBe('Grüße 👋🏽 \u2028 日本 ok')
    }
  })

  test('F13 decoded alike whatever the line ends, and wherever it is cut in two', () => {
    const text = wholeStream(dialect, ['Grüße 👋🏽', ' \u2028 日本']).join('')
    const read = (bytes: Buffer, cuts: readonly number[] = []) =>
      JSON.stringify(replay(dialectOf(dialect).upstream.streamReader(), bytes, cuts))
    const whole = read(Buffer.from(text))
    const forms = {
      'a byte order mark': `\ufeff${text}`,
      CRLF: text.replaceAll('\n', '\r\n'),
      CR: text.replaceAll('\n', '\r'),
      comments: text.replaceAll('\n\n', '\n: ping\n\n:\n\n'),
      'no space behind the colon': text.replaceAll('data: ', 'data:'),
      'several lines of data': text.replaceAll('data: {', 'data: {\ndata: '),
      'unknown fields': text.replaceAll('data: ', 'retry: 10\nid: 7\nfoo: bar\ndata: '),
    }
    for (const [name, form] of Object.entries(forms)) {
      const bytes = Buffer.from(form)
      const stride = LONG ? 1 : Math.ceil(bytes.length / 12)
      expect([name, read(bytes)]).toEqual([name, whole])
      for (let cut = 1; cut < bytes.length; cut += stride)
        expect([name, cut, read(bytes, [cut])]).toEqual([name, cut, whole])
    }
  })

  test('F15 events that nobody knows are skipped', async () => {
    const { world, says } = await openScripted(dialect)
    const [start = '', ...rest] = wholeStream(dialect)
    const unknown = [
      'event: surprise\ndata: {"type":"surprise","new":[1,{}]}\n\n',
      'event: ping\ndata: {"type":"ping"}\n\n',
      ': hello\n\n',
      'id: 1\n\n',
    ]
    for (const event of unknown) {
      says(sse(start + event + rest.join(event)))
      const answer = await world.ask(true)
      expectAnswer(answer, 'primary/first-model#1=ok')
    }
  })

  test('F15 malformed JSON fails the stream, before the first content and behind it', async () => {
    const { world, says } = await openScripted(dialect)
    const [start = '', first = '', ...rest] = wholeStream(dialect)
    for (const bad of ['data: {"choices":[{"delta"\n\n', 'data: {]\n\n', 'data: <html>\n\n']) {
      says(sse(start + bad + first + rest.join('')))
      const answer = await world.ask(true)
      expect(answer.trail).toMatch(/^primary\/first-model#1=\w+; fallback\/second-model#1=ok$/)
      says(inTwo(start + first, bad + rest.join('')))
      const broken = await world.ask(true)
      expect([broken.status, broken.read]).toEqual([200, null])
      expect(`\n${broken.text}`).toMatch(BROKEN[dialect])
      expect(world.ledger()).toMatchObject([{ ok: false }])
    }
  })
})

const FOLDERS: readonly (readonly [DialectId, readonly string[]])[] = [
  ['openai', ['openai-chat', 'groq', 'deepseek', 'mistral', 'xai', 'alibaba', 'moonshot']],
  ['openai-responses', ['openai-responses', 'azure', 'lmstudio-responses']],
  ['anthropic', ['anthropic']],
  ['google', ['google']],
]
const RECORDED = FOLDERS.flatMap(([dialect, folders]) =>
  folders.flatMap(recordedStreams).map(({ name, lines }) => {
    const isNamed = dialect === 'anthropic' || dialect === 'openai-responses'
    return { name, dialect, bytes: isNamed ? typedBytes(lines) : chatBytes(lines) }
  }),
)

test.runIf(RECORDED.length > 0)(
  'F13 every recorded stream is decoded alike in any pieces, and cut in two at any byte',
  () => {
    const dice = new Dice(20261130)
    const partitions = LONG ? Math.ceil(10_000 / RECORDED.length) : 1
    for (const { name, dialect, bytes } of RECORDED) {
      const read = (cuts: readonly number[]) =>
        JSON.stringify(replay(dialectOf(dialect).upstream.streamReader(), bytes, cuts))
      const whole = read([])
      for (let round = 0; round < partitions; round++) {
        const size = 1 + Math.floor(dice.uniform() * 400)
        const cuts: number[] = []
        for (let at = size; at < bytes.length; at += 1 + Math.floor(dice.uniform() * size)) cuts.push(at)
        expect(read(cuts) === whole, `${name}, partition ${round} of seed 20261130`).toBe(true)
      }
      if (LONG) expect([name, harmfulCut(bytes)]).toEqual([name, undefined])
    }
  },
)

describe.each(DIALECTS)('a client of %s', (dialect) => {
  test.each([
    false,
    true,
  ])('F14 invalid UTF-8, half surrogates and NUL are replaced or passed (streamed: %s)', async (stream) => {
    const { world, says } = await openScripted(dialect)
    const place = 'PLACEHOLDER'
    const text = stream
      ? wholeStream(dialect, ['one ', place, ' two']).join('')
      : JSON.stringify(wholeAnswer(dialect, `one ${place} two`))
    const at = text.lastIndexOf(place, text.indexOf(place) + 1)
    for (const odd of [
      Buffer.from([0xff]),
      Buffer.from([0xf0, 0x9f]),
      Buffer.from([0xed, 0xa0, 0x80]),
      '\\ud800',
      '\\udc00\\ud800',
      '\\u0000',
    ]) {
      const bytes = Buffer.concat([
        Buffer.from(text.slice(0, at)),
        Buffer.from(odd),
        Buffer.from(text.slice(at + place.length)),
      ])
      says(stream ? sse(bytes) : http('200 OK', bytes, { 'content-type': 'application/json' }))
      const answer = await world.ask(stream)
      expect([answer.status, answer.trail]).toEqual([200, 'primary/first-model#1=ok'])
      expect(textOf(answer.read)).toMatch(/^one [\s\S]* two$/)
    }
  })

  test('F15 fields that are missing, null, of another type or huge: an answer or an error, and nothing else', async () => {
    const { world, says } = await openScripted(dialect)
    const events = wholeStream(dialect)
    const values = ['null', '[]', '{}', '"text"', '-1', '1e999', '123456789012345678901234567890', 'true']
    const spoiled = events.flatMap((event, index) =>
      [...event.matchAll(/"(\w+)":/g)].flatMap(({ 1: name, index: at }) => {
        const value = values[(index * 7 + at) % values.length]
        return [
          [
            index,
            `${name}=${value}`,
            event.slice(0, at) +
              event
                .slice(at)
                .replace(/:(?:"[^"]*"|[\w.-]+|\[|\{)/, (old) =>
                  /[[{]$/.test(old) ? `:${value},"was":${old.slice(1)}` : `:${value}`,
                ),
          ] as const,
        ]
      }),
    )
    for (const [index, what, event] of spoiled.filter((_, place) => LONG || place % 16 === 0)) {
      says(sse([...events.slice(0, index), event, ...events.slice(index + 1)].join('')))
      const answer = await world.ask(true)
      // Never an error of ours, and never an answer that just ends.
      expect([what, answer.status]).toEqual([what, 200])
      if (answer.read === null)
        expect([what, `\n${answer.text}`]).toEqual([what, expect.stringMatching(BROKEN[dialect])])
    }
    await world.expectReleased()
  })
})

describe('signs of life', () => {
  const FIRST = [REPLY.slice(0, 40), REPLY.slice(40)] as const

  test('F11 comments alone keep a stream alive for two minutes, and no longer', async () => {
    const clock = new HandClock()
    const { world, says } = await openScripted('openai', { clock })
    const [start = '', first = ''] = wholeStream('openai', FIRST)
    says((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${start}${first}`)
      const ping = async () => {
        for (;;) {
          await clock.sleep(10_000)
          if (socket.destroyed) return
          socket.write(': ping\n\n')
        }
      }
      void ping()
    })
    const startedAt = clock.monotonic()
    const answer = await world.askWhile(20_000, true)
    await expectBrokenOff(world, answer, 'timeout')
    expect(clock.monotonic() - startedAt).toBeGreaterThan(119_000)
    expect(clock.monotonic() - startedAt).toBeLessThan(240_000)
  })

  test('F12 drip, a byte a second before the first content: the next target answers in time', async () => {
    const clock = new HandClock()
    const world = await openFaultWorld({ clock, settings: { timeouts: { first_token_ms: 4000 } } })
    world.proxy.add({ do: 'bandwidth', bytesPerSecond: 1 })
    for (const stream of [false, true])
      expectAnswer(await world.askWhile(1100, stream), 'primary/first-model#1=timeout; fallback/second-model#1=ok')
    world.proxy.heal()
    await world.expectReleased()
  })

  test('F12 drip, a byte a second behind the first content: it ends with an error, not never', async () => {
    const clock = new HandClock()
    const { world, says } = await openScripted('anthropic', { clock })
    const [start = '', ...rest] = wholeStream('anthropic', FIRST)
    const more = rest.join('')
    const cut = more.indexOf('\n\n', more.indexOf(FIRST_WORD)) + 2
    says((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${start}${more.slice(0, cut)}`)
      const drip = async () => {
        for (const letter of `event: content_block_delta\ndata: ${' '.repeat(10_000)}`) {
          await clock.sleep(1000)
          if (socket.destroyed) return
          socket.write(letter)
        }
      }
      void drip()
    })
    await expectBrokenOff(world, await world.askWhile(20_000, true), 'timeout')
  })

  test('F12 drip, but steadily: a slow stream that goes on is whole', async () => {
    const clock = new HandClock()
    const { world, says } = await openScripted('openai', { clock })
    const events = wholeStream('openai', REPLY.match(/.{1,30}/g) ?? [])
    says((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n')
      const drip = async () => {
        for (const event of events) {
          await clock.sleep(20_000)
          socket.write(event)
        }
        socket.end()
      }
      void drip()
    })
    expectAnswer(await world.askWhile(20_000, true), 'primary/first-model#1=ok')
  })
})

/** A stream whose second part comes when the first has been passed on; it ends cleanly. */
function inTwo(first: string, second: string): (socket: Socket) => void {
  const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
  return (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
    socket.write(chunk(first))
    setTimeout(() => socket.write(`${chunk(second)}0\r\n\r\n`), 5)
  }
}

/** Where an answer of the dialect is finished: the end of the event that says so. */
function finishOf(dialect: DialectId, text: string): number {
  const words: { readonly [D in DialectId]: string } = {
    openai: '"finish_reason":"stop"',
    'openai-responses': 'event: response.completed',
    anthropic: 'event: message_stop',
    google: '"finishReason":"STOP"',
  }
  return text.indexOf('\n\n', text.indexOf(words[dialect]))
}
