/** What this machine or this process has too little of for another connection: nobody else's fault. */

import type { Failure } from './failure.ts'

/** Node's codes of the system's errors (errno(3)) that a new connection ends with before it leaves this machine. */
export type ShortageCode = 'EMFILE' | 'ENFILE' | 'ENOMEM' | 'ENOBUFS' | 'EADDRNOTAVAIL'

export const SHORTAGES: { readonly [C in ShortageCode]: { readonly what: string; readonly todo: string } } = {
  EMFILE: {
    what: 'keywise has as many open files and connections as it may have',
    todo: 'raise the limit where it is started ("ulimit -n 65536", "LimitNOFILE=65536" for systemd)',
  },
  ENFILE: {
    what: 'this machine has as many open files as it may have',
    todo: 'raise fs.file-max, or find what holds them (lsof), then see "ulimit -n"',
  },
  ENOMEM: { what: 'this machine has no memory left for another connection', todo: 'give it more, or run less on it' },
  ENOBUFS: { what: 'this machine has no buffers left for another connection', todo: 'run less on it' },
  EADDRNOTAVAIL: {
    what: 'this machine has no free port left for another connection',
    todo: 'widen net.ipv4.ip_local_port_range, or send fewer requests at once',
  },
}

/** The code of a failure that is our own; null for every other one. */
export function shortageOf(failure: Failure | null): ShortageCode | null {
  if (failure?.kind !== 'network' || failure.started === true) return null
  return isShortage(failure.code) ? failure.code : null
}

export function isShortage(code: string): code is ShortageCode {
  return Object.hasOwn(SHORTAGES, code)
}

/** `keywise has as many open files …; raise the limit …` */
export const shortageText = (code: ShortageCode) => `${SHORTAGES[code].what}; ${SHORTAGES[code].todo}`
